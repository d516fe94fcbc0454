import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import {
  Copier,
  type LocalExport,
  OffsiteError,
  type OffsiteNews,
  type OffsiteRecord,
  type OffsiteTool,
} from '../../src/offsite/index.ts';
import { NOTHING_KNOWN, type OffsiteRecordKeeper } from '../../src/offsite/record.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

/** A place off-site in virtual time. */
class Place implements OffsiteTool {
  readonly clock = new VirtualClock();
  readonly told: OffsiteNews[] = [];
  readonly exports: LocalExport[] = [];
  readonly copies: number[] = [];
  readonly checks: number[] = [];
  /** Why nothing can be copied or checked at present. */
  fault: string | undefined;
  damage: string[] = [];
  /** The journal cannot take a message. */
  isMute = false;
  isTaken = false;
  kept: OffsiteRecord | undefined;
  #stop = new AbortController();
  #running: Promise<void> | undefined;
  #copier: Copier | undefined;

  get copier(): Copier {
    assert.ok(this.#copier !== undefined);
    return this.#copier;
  }

  async init(): Promise<void> {}

  async copy(exports: readonly LocalExport[]): Promise<readonly string[]> {
    this.copies.push(this.clock.now());
    if (this.fault !== undefined) throw new OffsiteError(this.fault);
    return exports.map(({ id }) => id);
  }

  async check(): Promise<readonly string[]> {
    this.checks.push(this.clock.now());
    if (this.fault !== undefined) throw new OffsiteError(this.fault);
    return this.damage;
  }

  async start({ checkEveryMs = 7 * DAY_MS } = {}): Promise<void> {
    this.#stop = new AbortController();
    const record: OffsiteRecordKeeper = {
      read: async () => structuredClone(this.kept ?? NOTHING_KNOWN),
      write: async (written) => {
        this.kept = structuredClone(written);
      },
      readProgress: async () => undefined,
      writeProgress: async () => {},
    };
    this.#copier = new Copier({
      name: 'cloud',
      tool: this,
      record,
      exports: async () => [...this.exports],
      checkEveryMs,
      lateMs: 3 * DAY_MS,
      lock: async () => {
        if (this.isTaken) throw new ChatkeepError('in-use', 'A command is at it.');
        return { [Symbol.dispose]() {} };
      },
      tell: async (news) => {
        if (this.isMute) throw new Error('the journal is full');
        this.told.push(news);
      },
      clock: this.clock,
      random: () => 0.5,
      logger: silentLogger,
    });
    this.#running = this.#copier.run(this.#stop.signal);
    await settle();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async commit(id: string): Promise<void> {
    this.exports.push({ kind: 'snapshot', id });
    this.copier.wake();
    await settle();
  }

  get events(): string[] {
    return this.told.map(({ kind }) => kind);
  }
}

async function place(...ids: string[]): Promise<Place> {
  const made = new Place();
  made.exports.push(...ids.map((id) => ({ kind: 'snapshot', id }) as const));
  await made.start();
  return made;
}

describe('A copier', () => {
  it('copies each snapshot as soon as it is committed, and nothing when there is nothing new', async () => {
    const cloud = await place();
    await cloud.clock.advance(DAY_MS);
    assert.equal(cloud.copies.length, 0);
    await cloud.commit('a/1');
    assert.deepEqual(cloud.kept?.copied, ['a/1']);
    await cloud.clock.advance(DAY_MS);
    assert.equal(cloud.copies.length, 1);
    await cloud.stop();
    assert.deepEqual(cloud.told, []);
  });

  it('finds within minutes what another process has brought', async () => {
    const cloud = await place('a/1');
    cloud.exports.push({ kind: 'snapshot', id: 'a/2' });
    await cloud.clock.advance(10 * MINUTE_MS);
    assert.deepEqual(cloud.kept?.copied, ['a/1', 'a/2']);
    await cloud.stop();
  });

  it('knows after a restart what was not copied', async () => {
    const cloud = await place();
    cloud.fault = 'The line is down.';
    await cloud.commit('a/1');
    await cloud.stop();
    cloud.fault = undefined;
    await cloud.start();
    await cloud.clock.advance(2 * HOUR_MS);
    assert.deepEqual(cloud.kept?.copied, ['a/1']);
    await cloud.stop();
  });

  it('finds out anew what is there if its record is lost', async () => {
    const cloud = await place('a/1');
    await cloud.stop();
    cloud.kept = undefined;
    await cloud.start();
    assert.equal(cloud.copies.length, 2);
    assert.deepEqual(cloud.kept, { ...NOTHING_KNOWN, copied: ['a/1'], copiedAt: cloud.clock.now() });
    await cloud.stop();
  });

  it('tries again ever later, up to every two hours, and over restarts no sooner', async () => {
    const cloud = new Place();
    cloud.exports.push({ kind: 'snapshot', id: 'a/1' });
    cloud.fault = 'The line is down.';
    await cloud.start();
    for (let hours = 0; hours < 24; hours += 1) {
      await cloud.stop();
      await cloud.start();
      await cloud.clock.advance(HOUR_MS);
    }
    const pauses = cloud.copies.slice(1).map((at, index) => Math.round((at - (cloud.copies[index] ?? 0)) / MINUTE_MS));
    assert.deepEqual(pauses.slice(0, 3), [2, 3, 6]);
    assert.ok(
      pauses.slice(6).every((minutes) => minutes >= 85 && minutes <= 125),
      `${pauses}`,
    );
    await cloud.stop();
  });

  it('tells once when a copy is three days late, again after a week, and when it is made after all', async () => {
    const cloud = new Place();
    cloud.exports.push({ kind: 'snapshot', id: 'a/1' });
    cloud.fault = 'The line is down.';
    await cloud.start();
    const from = cloud.clock.now();
    await cloud.clock.advance(3 * DAY_MS - HOUR_MS);
    assert.deepEqual(cloud.events, []);
    await cloud.clock.advance(2 * HOUR_MS);
    assert.deepEqual(cloud.told, [
      { kind: 'late', since: from, missing: 1, copiedAt: null, trouble: 'The line is down.' },
    ]);
    await cloud.clock.advance(6 * DAY_MS);
    assert.deepEqual(cloud.events, ['late']);
    await cloud.clock.advance(2 * DAY_MS);
    assert.deepEqual(cloud.events, ['late', 'late']);
    cloud.fault = undefined;
    await cloud.clock.advance(DAY_MS);
    assert.deepEqual(cloud.events, ['late', 'late', 'recovered']);
    await cloud.stop();
  });

  it('tells what could not be told as soon as it can', async () => {
    const cloud = new Place();
    cloud.exports.push({ kind: 'snapshot', id: 'a/1' });
    cloud.fault = 'The line is down.';
    cloud.isMute = true;
    await cloud.start();
    await cloud.clock.advance(4 * DAY_MS);
    cloud.isMute = false;
    await cloud.clock.advance(HOUR_MS);
    assert.deepEqual(cloud.events, ['late']);
    await cloud.stop();
  });

  it('checks what is there on its schedule', async () => {
    const cloud = await place('a/1');
    await cloud.clock.advance(21 * DAY_MS + HOUR_MS);
    assert.equal(cloud.checks.length, 3);
    assert.deepEqual(cloud.told, []);
    await cloud.stop();
  });

  it('checks nothing where that is not wished', async () => {
    const cloud = new Place();
    cloud.exports.push({ kind: 'snapshot', id: 'a/1' });
    await cloud.start({ checkEveryMs: 0 });
    await cloud.clock.advance(30 * DAY_MS);
    assert.equal(cloud.checks.length, 0);
    await cloud.stop();
  });

  it('tells at once of damage, copies again, checks again each day, and tells when it is mended', async () => {
    const cloud = await place('a/1');
    cloud.damage = ['a/1 is not there any more.'];
    await cloud.clock.advance(7 * DAY_MS + HOUR_MS);
    assert.deepEqual(cloud.told, [{ kind: 'damaged', damage: 'a/1 is not there any more.' }]);
    assert.equal(cloud.copies.length, 2);
    await cloud.clock.advance(2 * DAY_MS);
    assert.equal(cloud.checks.length, 3);
    cloud.damage = [];
    await cloud.clock.advance(DAY_MS);
    assert.deepEqual(cloud.events, ['damaged', 'recovered']);
    await cloud.stop();
  });

  it('tells that checks are late, too', async () => {
    const cloud = await place('a/1');
    cloud.fault = 'The line is down.';
    await cloud.clock.advance(9 * DAY_MS);
    assert.deepEqual(cloud.events, []);
    await cloud.clock.advance(2 * DAY_MS);
    assert.deepEqual(cloud.told, [
      {
        kind: 'late',
        since: cloud.kept?.owedSince,
        missing: 0,
        copiedAt: cloud.copies[0],
        trouble: 'The line is down.',
      },
    ]);
    await cloud.stop();
  });

  it('leaves the place to a command that is at it, and comes back', async () => {
    const cloud = await place();
    cloud.isTaken = true;
    await cloud.commit('a/1');
    assert.equal(cloud.copies.length, 0);
    cloud.isTaken = false;
    await cloud.clock.advance(10 * MINUTE_MS);
    assert.deepEqual(cloud.kept?.copied, ['a/1']);
    await cloud.stop();
  });

  it('copies all at once when it is asked to, although the next try is far', async () => {
    const cloud = await place();
    cloud.fault = 'The line is down.';
    await cloud.commit('a/1');
    cloud.fault = undefined;
    const context = { signal: new AbortController().signal, onProgress: () => {} };
    const { record, missing } = await cloud.copier.doNow({ copy: true, check: true }, context);
    assert.deepEqual([record.trouble, missing, cloud.copies.length, cloud.checks.length], [null, 0, 2, 1]);
    await cloud.stop();
  });
});
