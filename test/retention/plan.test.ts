import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Decision, planPrune, type Witness } from '../../src/retention/plan.ts';
import { FEWEST_KEPT, type KeepPolicy, reasonsToKeep } from '../../src/retention/policy.ts';
import { parseSnapshotName } from '../../src/snapshot/index.ts';
import { histories, holdingsOf, type Kept, snapshotsOf } from './histories.ts';

const rule = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
const policies = fc.record({ last: rule, daily: rule, weekly: rule, monthly: rule, yearly: rule });

function witnessOf(kept: readonly Kept[]): Witness {
  return {
    contentsOf: async ({ id }) => kept.find(({ snapshot }) => snapshot.id === id)?.contents,
    holds: async () => true,
  };
}

function plan(
  kept: readonly Kept[],
  policy: KeepPolicy,
  options: { evenIfUnique?: boolean } = {},
): Promise<Decision[]> {
  return planPrune(
    kept.map(({ snapshot }) => snapshot),
    { policy, witness: witnessOf(kept), ...options },
  );
}

const staying = (kept: readonly Kept[], decisions: readonly Decision[]) =>
  kept.filter((_, index) => decisions[index]?.kind === 'keep');

describe('an un-forced prune', () => {
  it('loses no conversation, message, version of one, or file, whatever the history and the policy', async () => {
    let pruned = 0;
    await fc.assert(
      fc.asyncProperty(histories, policies, async (history, policy) => {
        const kept = snapshotsOf(history);
        const stays = staying(kept, await plan(kept, policy));
        pruned += kept.length - stays.length;
        assert.deepEqual([...holdingsOf(kept)].sort(), [...holdingsOf(stays)].sort());
      }),
      { numRuns: 300 },
    );
    assert.ok(pruned > 100, `${pruned} snapshots were to go in all histories: this shows nothing`);
  });

  it('loses nothing at any point on its way: the snapshots go one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const kept = snapshotsOf(history);
        const decisions = await plan(kept, { last: 1 });
        const all = [...holdingsOf(kept)].sort();
        const gone = new Set<string>();
        for (const { kind, snapshot } of decisions) {
          if (kind === 'go') gone.add(snapshot.id);
          const left = kept.filter((each) => !gone.has(each.snapshot.id));
          assert.deepEqual([...holdingsOf(left)].sort(), all);
        }
      }),
    );
  });

  it('keeps the newest, the floor, all that the policy keeps, and what is damaged or not read in full', async () => {
    await fc.assert(
      fc.asyncProperty(histories, policies, async (history, policy) => {
        const kept = snapshotsOf(history);
        const decisions = await plan(kept, policy);
        const times = kept.map(({ snapshot }) => parseSnapshotName(snapshot.name)?.time ?? 0);
        const reasons = reasonsToKeep(times.toReversed(), policy).toReversed();
        for (const [index, { kind }] of decisions.entries()) {
          const { contents } = kept[index] ?? {};
          const mustStay =
            index >= kept.length - FEWEST_KEPT ||
            (reasons[index]?.length ?? 0) > 0 ||
            contents === undefined ||
            contents.unread !== undefined;
          if (mustStay) assert.equal(kind, 'keep');
        }
      }),
    );
  });

  it('lets go all that the policy lets go where everything is in later exports', async () => {
    const write = { kind: 'write', conversation: 0, rich: false } as const;
    const day = { events: [write], hoursLater: 24, unread: false, damaged: false };
    const kept = snapshotsOf({ exports: Array.from({ length: 8 }, () => day), slimFrom: 8, strays: [] });
    const decisions = await plan(kept, { last: 3 });
    assert.deepEqual(
      decisions.map(({ kind }) => kind),
      [...Array(5).fill('go'), ...Array(3).fill('keep')],
    );
  });

  it('says what is found nowhere else, and keeps one of two snapshots that hold it together', async () => {
    const events = [
      { kind: 'write', conversation: 0, rich: false },
      { kind: 'write', conversation: 0, rich: true },
      { kind: 'write', conversation: 1, rich: false },
    ] as const;
    const nothing = { events: [], hoursLater: 24, unread: false, damaged: false };
    const kept = snapshotsOf({
      exports: [
        { ...nothing, events: [...events] },
        nothing,
        { ...nothing, events: [{ kind: 'delete', conversation: 1 }] },
        nothing,
        nothing,
      ],
      slimFrom: 2,
      strays: [],
    });
    const decisions = await plan(kept, { last: 1 });
    assert.deepEqual(
      decisions.map((decision) => (decision.kind === 'keep' ? decision.reasons.join() : decision.kind)),
      [
        'go',
        'holds 1 conversation, 1 message and the full form of 1 message found nowhere else',
        'go',
        'one of the 2 newest',
        'newest,last',
      ],
    );
  });
});

describe('a prune that is insisted on', () => {
  it('lets go what the policy lets go, names what is lost, and still keeps the newest and the floor', async () => {
    const kept = snapshotsOf({
      exports: [
        { events: [{ kind: 'write', conversation: 0, rich: false }], hoursLater: 1, unread: false, damaged: false },
        { events: [{ kind: 'delete', conversation: 0 }], hoursLater: 1, unread: true, damaged: false },
        { events: [], hoursLater: 1, unread: false, damaged: false },
        { events: [], hoursLater: 1, unread: false, damaged: false },
      ],
      slimFrom: 4,
      strays: [],
    });
    const decisions = await plan(kept, { last: 1 }, { evenIfUnique: true });
    assert.deepEqual(
      decisions.map((decision) => (decision.kind === 'go' ? decision.reason : decision.kind)),
      [
        'insisted on; lost with it: 1 conversation',
        'insisted on; what is in it could not be read in full',
        'keep',
        'keep',
      ],
    );
  });
});
