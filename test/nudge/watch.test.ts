import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Journal, openSqliteJournal, Recorder } from '../../src/capture/index.ts';
import { DAY_MS, HOUR_MS } from '../../src/lib/clock.ts';
import type { Message } from '../../src/notify/index.ts';
import { type NudgeSettings, NudgeWatch, upcomingNudges } from '../../src/nudge/index.ts';
import { keptExports, listSnapshots } from '../../src/snapshot/index.ts';
import { noticeCapture } from '../capture/examples.ts';
import { writeSnapshot, writeUnchanged } from '../support/snapshot-on-disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import { TEST_START_MS as START, VirtualClock } from '../support/virtual-clock.ts';

const SETTINGS: NudgeSettings = { afterMs: 30 * DAY_MS, againMs: 7 * DAY_MS, except: [] };
const ACCOUNTS = new Map([
  ['ann@example.org', ['ann@example.org']],
  ['bob@example.org', ['bob@example.org']],
]);

describe('The watch over new snapshots', () => {
  let directory: Awaited<ReturnType<typeof tempDir>>;
  let backupDir: string;
  let clock: VirtualClock;
  let journal: Journal;
  beforeEach(async () => {
    directory = await tempDir();
    backupDir = join(directory.path, 'backups');
    await mkdir(backupDir);
    clock = new VirtualClock();
    journal = openSqliteJournal(join(directory.path, 'journal.sqlite'));
  });
  afterEach(async () => {
    await journal[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  /** A service that has just started, looking. */
  function watch(settings: Partial<NudgeSettings> = {}): NudgeWatch {
    const recorder = new Recorder({ journal, recipientsOf: () => ['told'], onRecorded: () => {} });
    return new NudgeWatch({
      journal,
      recorder,
      backupDir,
      accounts: ACCOUNTS,
      settings: { ...SETTINGS, ...settings },
      clock,
    });
  }

  async function told(): Promise<Message[]> {
    return (await journal.due(Number.MAX_SAFE_INTEGER, ['told'])).map(({ message }) => message);
  }

  it('reminds of each account for itself, with how much is at stake, and once over restarts', async () => {
    await writeSnapshot(backupDir, 'ann@example.org', START - 24 * DAY_MS, { messages: 1000 });
    await writeSnapshot(backupDir, 'ann@example.org', START - 10 * DAY_MS, { messages: 1400 });
    await writeSnapshot(backupDir, 'bob@example.org', START - 31 * DAY_MS, { messages: 5 });
    for (let restart = 0; restart < 3; restart += 1) await watch().look();
    assert.deepEqual(
      (await told()).map(({ data }) => data.account),
      ['bob@example.org'],
    );
    await clock.advance(20 * DAY_MS);
    await watch().look();
    const ofAnn = (await told()).find(({ data }) => data.account === 'ann@example.org');
    assert.match(ofAnn?.body ?? '', /200 messages a week\), that is about 860 messages; an export every two weeks/);
    assert.match(ofAnn?.body ?? '', /https:\/\/chatgpt\.com\/#settings\/DataControls/);
  });

  it('waits while an export of the account is being captured or awaited, and not for that of another', async () => {
    for (const account of ['ann@example.org', 'bob@example.org']) {
      await writeSnapshot(backupDir, account, START - 31 * DAY_MS);
    }
    const request = { askedAt: START, seenAt: START, remindedAt: undefined };
    await journal.record({
      awaited: { mailbox: 'bob@example.org', provider: 'openai', cameAt: undefined, requests: [request] },
    });
    await watch().look();
    assert.deepEqual(
      (await told()).map(({ data }) => data.account),
      ['ann@example.org'],
    );
    await journal.record({ captures: [noticeCapture()] });
    await clock.advance(8 * DAY_MS);
    await watch().look();
    assert.equal((await told()).length, 1);
  });

  it('says kindly what to do where there never was a snapshot', async () => {
    await watch().look();
    await clock.advance(3 * DAY_MS - HOUR_MS);
    await watch().look();
    assert.deepEqual(await told(), []);
    await clock.advance(HOUR_MS);
    await watch().look();
    const [message] = await told();
    assert.equal(message?.title, 'Chatkeep is ready for your first ChatGPT export');
  });

  it('leaves out accounts that nobody is to be reminded of, or all', async () => {
    await writeSnapshot(backupDir, 'Old@example.org', START - 400 * DAY_MS);
    await watch({ except: ['old@example.org'] }).look();
    await watch({ afterMs: 0 }).look();
    assert.deepEqual(await told(), []);
  });

  it('counts an export in which nothing has changed, for the day and for the growth', async () => {
    await writeSnapshot(backupDir, 'ann@example.org', START - 70 * DAY_MS, { messages: 1000 });
    const newest = await writeSnapshot(backupDir, 'ann@example.org', START - 35 * DAY_MS, { messages: 2000 });
    await writeUnchanged(backupDir, newest, START);
    await watch().look();
    assert.deepEqual(await told(), []);
    await clock.advance(30 * DAY_MS);
    await watch().look();
    const [message] = await told();
    assert.equal(message?.title, 'No new ChatGPT export for 30 days');
    assert.deepEqual([message?.data.newestAt, message?.data.messagesPerWeek], [START, 100]);
  });

  it('announces the next reminder', async () => {
    await writeSnapshot(backupDir, 'ann@example.org', START);
    const kept = keptExports(await listSnapshots(backupDir));
    const known = { kept, open: [], awaited: [], accounts: ACCOUNTS };
    assert.deepEqual(await upcomingNudges(known, journal, SETTINGS, START), [
      { account: 'ann@example.org', at: Math.floor(START / 1000) * 1000 + 30 * DAY_MS },
    ]);
    const underWay = { ...known, open: [noticeCapture()] };
    assert.deepEqual(await upcomingNudges(underWay, journal, SETTINGS, START), []);
  });
});
