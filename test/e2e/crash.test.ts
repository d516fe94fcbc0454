import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { createAccount, type ExportFacts } from '../support/openai/exports/index.ts';
import { SeededRandom } from '../support/openai/exports/random.ts';
import { assertWholeSnapshot, hashesOf, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const KILLS = 100;
/** The service is killed this long after its first line at the latest: by then a capture is through. */
const LATEST_KILL_MS = 900;
/** Before that it is still signing in. */
const EARLIEST_KILL_MS = 100;
const MINUTE_MS = 60_000;

describe('kill -9', () => {
  it(`at ${KILLS} random moments of captures loses no export, doubles none, and never shows a half snapshot`, async (t) => {
    // The line is slow enough for a download to take a good part of the time between start and kill.
    await using world = await startWorld({ bytesPerSecond: 4_000_000 });
    const seed = `${Date.now()}`;
    t.diagnostic(`seed ${seed}`);
    const random = new SeededRandom(seed);
    const exports = new Exports(world);
    const seenAt = new Map<string, number>();
    // A snapshot that was whole once is looked at again in the end; in between, only what is new can be half.
    const whole = new Set<string>();
    for (let kills = 0; kills < KILLS; ) {
      if ((await visibleSnapshots(world.backups)).length === exports.delivered.length) await exports.deliverNext();
      const service = world.service({ CHATKEEP_LOG_LEVEL: 'info' });
      await service.printed('Chatkeep starts');
      await delay(random.between(EARLIEST_KILL_MS, LATEST_KILL_MS));
      const story = service.output;
      await service.kill();
      const phase = phaseOf(story);
      seenAt.set(phase, (seenAt.get(phase) ?? 0) + 1);
      // Only what hits an export on its way counts.
      if (phase !== 'starting' && phase !== 'watching') kills += 1;
      for (const snapshot of await visibleSnapshots(world.backups)) {
        if (!whole.has(snapshot)) await assertWholeSnapshot(snapshot);
        whole.add(snapshot);
      }
    }
    t.diagnostic(`killed while: ${[...seenAt].map(([phase, times]) => `${phase} ${times}`).join(', ')}`);

    await using service = world.service();
    await eventually(async () => (await visibleSnapshots(world.backups)).length >= exports.delivered.length);
    // One message may come twice.
    const told = () => new Set(world.webhook.of('snapshot-committed').map(({ data }) => data.snapshot));
    await eventually(() => told().size >= exports.delivered.length);
    await service.stop();
    const snapshots = await visibleSnapshots(world.backups);
    assert.equal(snapshots.length, exports.delivered.length);
    for (const [index, snapshot] of snapshots.entries()) {
      await assertWholeSnapshot(snapshot);
      const facts = exports.delivered[index];
      assert.deepEqual(await hashesOf(snapshot), new Map(facts?.entries.map(({ path, sha256 }) => [path, sha256])));
    }
    assert.equal(told().size, exports.delivered.length);
    for (const phase of ['downloading', 'unpacking']) {
      assert.ok((seenAt.get(phase) ?? 0) > 0, `no kill hit the phase "${phase}"; change the pace of this test`);
    }
  });
});

/** Exports in the order of their stamps, one mail each. */
class Exports {
  readonly delivered: ExportFacts[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async deliverNext(): Promise<void> {
    const index = this.delivered.length;
    const account = createAccount({ seed: `crash-${index}`, email: 'ada@example.test', conversations: 10 });
    const { published, facts } = await this.#world.openai.publishExport(account, {
      directory: this.#world.exports,
      form: 'estuary',
      stamp: new Date(Date.now() - 20 * 60 * MINUTE_MS + index * MINUTE_MS),
      assetBytes: 1_000_000,
    });
    this.delivered.push(facts);
    await this.#world.dovecot.deliver(await this.#world.openai.readyMail(published));
  }
}

/** What the log's last word was. */
function phaseOf(log: string): string {
  const phases = [
    ['committed as', 'just after the commit'],
    ['unpacking', 'unpacking'],
    ['downloading', 'downloading'],
    ['going on with the download', 'downloading'],
    ['asking for the export', 'downloading'],
    ['watching', 'watching'],
  ] as const;
  return phases.find(([text]) => log.includes(text))?.[1] ?? 'starting';
}
