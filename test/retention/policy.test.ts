import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FEWEST_KEPT, isKeepAll, type KeepPolicy, reasonsToKeep } from '../../src/retention/policy.ts';

/** Newest first. The turns of years, of ISO weeks (2025-01-05 and 2026-03-08 are Sundays) and of months are in it. */
const TIMES = [
  '2026-03-09T20:00:00Z',
  '2026-03-09T08:00:00Z',
  '2026-03-08T08:00:00Z',
  '2026-03-02T08:00:00Z',
  '2026-03-01T08:00:00Z',
  '2026-03-01T00:00:00Z',
  '2026-02-28T23:59:59Z',
  '2026-01-05T12:00:00Z',
  '2026-01-04T12:00:00Z',
  '2026-01-01T00:00:01Z',
  '2025-06-15T10:00:00Z',
  '2025-01-05T10:00:00Z',
  '2024-12-31T09:00:00Z',
  '2024-12-30T10:00:00Z',
];

/** What is kept, as positions in TIMES; the floor apart. */
function kept(policy: KeepPolicy): number[] {
  const byRules = reasonsToKeep(TIMES.map(Date.parse), policy).map((reasons) =>
    reasons.filter((each) => !/newest/.test(each)),
  );
  return byRules.flatMap((reasons, index) => (reasons.length > 0 ? [index] : []));
}

describe('a policy', () => {
  // What `restic forget --dry-run` of restic 0.14 keeps of snapshots of these times, and the oldest where a rule has
  // room left, as restic does since 0.17.
  const OLDEST = 13;
  const asRestic: readonly [KeepPolicy, readonly number[]][] = [
    [{ last: 3 }, [0, 1, 2]],
    [{ last: 20 }, TIMES.map((_, index) => index)],
    [{ daily: 4 }, [0, 2, 3, 4]],
    [{ daily: 20 }, [0, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, OLDEST]],
    [{ weekly: 3 }, [0, 2, 4]],
    [{ weekly: 20 }, [0, 2, 4, 7, 8, 10, 11, OLDEST]],
    [{ monthly: 4 }, [0, 6, 7, 10]],
    [{ monthly: 20 }, [0, 6, 7, 10, 11, 12, OLDEST]],
    [{ yearly: 2 }, [0, 10]],
    [{ yearly: 9 }, [0, 10, 12, OLDEST]],
    [{ last: 2, daily: 3, weekly: 4, monthly: 5, yearly: 6 }, [0, 1, 2, 3, 4, 6, 7, 10, 11, 12, OLDEST]],
  ];
  for (const [policy, expected] of asRestic) {
    it(`keeps what restic keeps with ${JSON.stringify(policy)}`, () => {
      assert.deepEqual(kept(policy), expected);
    });
  }

  it('gives the reasons by the names of its rules', () => {
    assert.deepEqual(
      reasonsToKeep(TIMES.map(Date.parse), { last: 1, yearly: 9 }).filter(({ length }) => length > 0),
      [['newest', 'last', 'yearly'], ['one of the 2 newest'], ['yearly'], ['yearly'], ['oldest, yearly']],
    );
  });

  it('with no rule keeps everything', () => {
    assert.equal(isKeepAll({ last: undefined }), true);
    assert.ok(reasonsToKeep(TIMES.map(Date.parse), {}).every(({ length }) => length > 0));
  });

  it('never lets the newest go, nor fewer stay than the floor', () => {
    const rule = fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined });
    const policies = fc.record({ last: rule, daily: rule, weekly: rule, monthly: rule, yearly: rule });
    const times = fc.array(fc.integer({ min: 0, max: 2_000_000_000 }), { maxLength: 30 });
    fc.assert(
      fc.property(times, policies, (seconds, policy) => {
        const newestFirst = seconds.map((each) => each * 1000).sort((a, b) => b - a);
        const reasons = reasonsToKeep(newestFirst, policy);
        for (const own of reasons.slice(0, FEWEST_KEPT)) assert.notEqual(own.length, 0);
        const most =
          Math.max(FEWEST_KEPT, 0) + Object.values(policy).reduce<number>((sum, each) => sum + (each ?? 0), 0);
        if (!isKeepAll(policy)) assert.ok(reasons.filter(({ length }) => length > 0).length <= most);
      }),
    );
  });
});
