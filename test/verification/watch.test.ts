import assert from 'node:assert/strict';
import { chmod, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Message } from '../../src/notify/index.ts';
import type { BackupDirectory } from '../../src/snapshot/index.ts';
import { readRecord, VerificationWatch } from '../../src/verification/index.ts';
import { EXPORT_TIME, open, takeNew } from '../snapshot/support.ts';
import { eventually } from '../support/eventually.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Time that passes only while somebody sleeps. */
class Dozing {
  ms = Date.UTC(2026, 11, 1);
  readonly slept: number[] = [];
  now(): number {
    return this.ms;
  }
  async sleep(ms: number): Promise<void> {
    this.ms += ms;
    this.slept.push(ms);
  }
}

let directory: Awaited<ReturnType<typeof tempDir>>;
let backups: BackupDirectory;
let state: string;
let told: Message[];
let clock: Dozing;
beforeEach(async () => {
  directory = await tempDir();
  backups = await open(join(directory.path, 'backups'));
  state = join(directory.path, 'state');
  told = [];
  clock = new Dozing();
});
afterEach(async () => {
  await backups[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

function watch(changes: Partial<ConstructorParameters<typeof VerificationWatch>[0]> = {}): VerificationWatch {
  return new VerificationWatch({
    backups,
    stateDir: state,
    everyMs: 7 * DAY_MS,
    share: 1,
    isBusy: () => false,
    recorder: {
      record: async ({ messages = [] }) => {
        told.push(...messages);
      },
    },
    clock,
    logger: silentLogger,
    ...changes,
  });
}

const verify = (share = 1) => watch({ share }).verify(new AbortController().signal);
const events = () => told.map(({ event }) => event);
const day = (n: number) => ({ exportTime: EXPORT_TIME + n * DAY_MS });

async function write(path: string, content: string): Promise<void> {
  await chmod(path, 0o600);
  await writeFile(path, content);
}

describe('damage', () => {
  it('is told once, with the file, the snapshot and what to do; and when it is repaired, that too', async () => {
    const { path, id } = await takeNew(backups, 'c1', { a: 'one', b: 'two' });
    await verify();
    assert.deepEqual(events(), []);
    await write(join(path, 'a'), 'rot');
    await verify();
    await verify();
    assert.deepEqual(events(), ['verification-failed']);
    assert.match(told[0]?.title ?? '', /1 file in 1 snapshot is damaged/);
    assert.match(told[0]?.body ?? '', new RegExp(`- ${id}: a is not what was backed up[^]*\`chatkeep verify ${id}\``));
    await write(join(path, 'b'), 'rot');
    await verify();
    assert.deepEqual(events(), ['verification-failed', 'verification-failed']);
    assert.doesNotMatch(told[1]?.body ?? '', /: a is not/);
    await write(join(path, 'a'), 'one');
    await verify();
    assert.equal(told.length, 2);
    await write(join(path, 'b'), 'two');
    await verify();
    assert.deepEqual(events().slice(2), ['recovered']);
    await verify();
    assert.equal(told.length, 3);
  });

  it('is told again where it could not be recorded', async () => {
    const { path } = await takeNew(backups, 'c1', { a: 'one' });
    await rm(join(path, 'a'));
    const failing = watch({ recorder: { record: () => Promise.reject(new Error('the disk is full')) } });
    await assert.rejects(failing.verify(new AbortController().signal), /the disk is full/);
    await verify();
    assert.deepEqual(events(), ['verification-failed']);
  });

  it('is looked at every time, whatever the sample is, until it is repaired', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, `content ${index}`]));
    const { path } = await takeNew(backups, 'c1', files);
    await write(join(path, 'f7'), 'rot');
    for (let sample = 0; sample < 10; sample += 1) await verify(0.1);
    assert.deepEqual(events(), ['verification-failed'], 'a round finds it');
    await write(join(path, 'f7'), 'content 7');
    await verify(0.01);
    assert.deepEqual(events(), ['verification-failed', 'recovered']);
  });

  it('names a sound copy, and is over when the snapshot is gone', async () => {
    const first = await takeNew(backups, 'c1', { a: 'one' }, day(0));
    await write(join(first.path, 'a'), 'rot');
    await takeNew(backups, 'c2', { a: 'one', b: '2' }, day(1));
    await verify();
    assert.match(told[0]?.body ?? '', /Another snapshot has a sound copy of it\./);
    await backups.remove(first);
    await verify();
    assert.deepEqual(events(), ['verification-failed', 'recovered']);
  });

  it('of a snapshot that is deleted while it is read is none', async () => {
    const first = await takeNew(backups, 'c1', { a: 'one', b: 'two' }, day(0));
    await takeNew(backups, 'c2', { c: '3' }, day(1));
    const deleting = watch({
      isBusy: () => {
        void backups.remove(first).catch(() => {});
        return false;
      },
    });
    await deleting.verify(new AbortController().signal);
    await verify();
    assert.deepEqual(events(), []);
  });
});

describe('verifying on a schedule', () => {
  it('reads everything once in a round, and notes when it ended', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, `content ${index}`]));
    await takeNew(backups, 'c1', files);
    for (let sample = 0; sample < 3; sample += 1) await verify(0.25);
    assert.equal((await readRecord(state)).roundEnded, null);
    for (let sample = 0; sample < 2; sample += 1) await verify(0.25);
    assert.notEqual((await readRecord(state)).roundEnded, null);
  });

  it('waits while exports are taken in, and leaves the disk to others', async () => {
    await takeNew(backups, 'c1', { a: 'one', b: 'two' });
    let asked = 0;
    const busyAtFirst = () => {
      asked += 1;
      return asked < 5;
    };
    await watch({ isBusy: busyAtFirst }).verify(new AbortController().signal);
    assert.equal(clock.slept.filter((ms) => ms === 1000).length, 4);
  });

  it('sets a link "latest" right that leads nowhere, and bothers nobody with it', async () => {
    const { name } = await takeNew(backups, 'c1', { a: 'one' });
    const latest = join(backups.path, 'ann@example.org/latest');
    await rm(latest);
    await symlink('2026-01-01T000000Z', latest);
    await verify();
    assert.equal(await readlink(latest), name);
    assert.deepEqual(events(), []);
  });

  it('begins ten minutes after the start, comes again after a week, sooner while there is damage; and not for a restart', async () => {
    const virtual = new VirtualClock(Date.UTC(2026, 11, 1));
    const { path } = await takeNew(backups, 'c1', { a: 'one' });
    const verifiedAt = async () => (await readRecord(state)).verifiedAt;
    const stop = new AbortController();
    let running = watch({ clock: virtual }).run(stop.signal);
    await virtual.advance(9 * MINUTE_MS);
    assert.equal(await verifiedAt(), null);
    await until(virtual, MINUTE_MS, async () => (await verifiedAt()) !== null);
    const first = await verifiedAt();
    stop.abort();
    await running;

    const second = new AbortController();
    running = watch({ clock: virtual }).run(second.signal);
    await virtual.advance(HOUR_MS);
    assert.equal(await verifiedAt(), first);
    await write(join(path, 'a'), 'rot');
    await until(virtual, HOUR_MS, async () => told.length > 0);
    assert.ok(((await verifiedAt()) ?? 0) - (first ?? 0) >= 7 * DAY_MS - HOUR_MS);
    const damagedAt = (await verifiedAt()) ?? 0;
    await until(virtual, HOUR_MS, async () => ((await verifiedAt()) ?? 0) > damagedAt);
    assert.ok(((await verifiedAt()) ?? 0) - damagedAt <= DAY_MS + HOUR_MS);
    second.abort();
    await running;
    assert.deepEqual(events(), ['verification-failed']);
  });
});

/** Lets time pass until something holds; what a step of time has set off is given the real time that it takes. */
async function until(virtual: VirtualClock, stepMs: number, holds: () => Promise<boolean>): Promise<void> {
  for (let steps = 0; steps < 24 * 30; steps += 1) {
    await virtual.advance(stepMs);
    await eventually(() => virtual.sleeping > 0);
    if (await holds()) return;
  }
  throw new Error('It did not come to pass within a month');
}
