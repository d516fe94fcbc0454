import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Intake, type Journal, openSqliteJournal, Recorder, stillAwaited, Watchdog } from '../../src/capture/index.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Notice } from '../../src/notice/index.ts';
import type { Message } from '../../src/notify/index.ts';
import { type BackupDirectory, keptExports, listSnapshots } from '../../src/snapshot/index.ts';
import { open, take, takeNew } from '../snapshot/support.ts';
import { tempDir } from '../support/temp-dir.ts';
import { TEST_START_MS as NOW, VirtualClock } from '../support/virtual-clock.ts';
import { SETTINGS } from './examples.ts';
import { READY } from './workshop.ts';

const STARTED = { kind: 'started', provider: 'openai' } as const;
const ANN = 'ann@example.org';
const BOB = 'bob';
const ACCOUNTS = new Map([
  [ANN, [ANN]],
  [BOB, ['Bob@example.org', BOB]],
]);
const LOST_LINK = { kind: 'refused', reason: 'link-hidden', detail: 'Its link is hidden.' } as const;

/** Intake and watchdog with a real journal and a real backup directory; the tests say when mailboxes were searched. */
class Scene implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly directory: string;
  readonly #temporary: AsyncDisposable;
  #uid = 0;
  #notice: Notice = STARTED;
  #service: { journal: Journal; backups: BackupDirectory; intake: Intake; watchdog: Watchdog } | undefined;

  private constructor(temporary: AsyncDisposable & { path: string }) {
    this.#temporary = temporary;
    this.directory = temporary.path;
  }

  static async open(): Promise<Scene> {
    const scene = new Scene(await tempDir());
    await scene.start();
    return scene;
  }

  get service() {
    assert.ok(this.#service !== undefined);
    return this.#service;
  }

  async start(reminders = [3 * DAY_MS, 7 * DAY_MS]): Promise<void> {
    const { clock } = this;
    const logger = silentLogger;
    const journal = openSqliteJournal(join(this.directory, 'journal.sqlite'));
    const backups = await open(join(this.directory, 'backups'));
    const recorder = new Recorder({ journal, recipientsOf: () => ['test'], onRecorded: () => {} });
    const watchdog = new Watchdog({ journal, recorder, backups, reminders, accounts: ACCOUNTS, clock, logger });
    const intake = new Intake({
      journal,
      recorder,
      backups,
      watchdog,
      readMessage: async () => this.#notice,
      accountOf: () => undefined,
      budgets: { maxEntries: 1, maxUnpackedBytes: 1, maxRatio: 1 },
      settings: SETTINGS,
      clock,
      random: () => 0.5,
      logger,
      interrupt: (_id, meanwhile) => meanwhile(),
    });
    this.#service = { journal, backups, intake, watchdog };
  }

  async stop(): Promise<void> {
    await this.#service?.journal[Symbol.asyncDispose]();
    await this.#service?.backups[Symbol.asyncDispose]();
    this.#service = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#temporary[Symbol.asyncDispose]();
  }

  /** A message that arrived at `receivedAt` is read now. */
  async mail(notice: Notice, receivedAt: number, { mailbox = ANN, folder = 'INBOX', messageId = '' } = {}) {
    this.#notice = notice;
    this.#uid += 1;
    const key = { mailbox, folder, uidValidity: '1', uid: this.#uid };
    const id = messageId === '' ? `<${this.#uid}@test>` : messageId;
    await this.service.intake.takeMessage({
      ...key,
      receivedAt,
      messageId: id,
      bytes: 1,
      source: Buffer.from(''),
    });
    assert.deepEqual(await this.service.journal.unseen(mailbox, folder, '1', [this.#uid]), []);
  }

  /** A file is kept that a person has handed in. */
  async handIn(exportTime: number, account = ANN): Promise<void> {
    await takeNew(
      this.service.backups,
      `capture-${exportTime}`,
      { 'chat.html': `${exportTime}` },
      { exportTime, account },
    );
  }

  /** Days pass, with mailboxes that are searched all the time. */
  async pass(days: number): Promise<void> {
    for (let hour = 0; hour < days * 24; hour += 1) {
      await this.clock.advance(HOUR_MS);
      await this.remind();
    }
  }

  async remind(readUpTo: number | undefined = this.clock.now()): Promise<void> {
    await this.service.watchdog.remind(() =>
      readUpTo === undefined ? undefined : { at: readUpTo, folders: ['INBOX', 'Junk'] },
    );
  }

  /** What people were told of exports that do not come. */
  async told(): Promise<Message[]> {
    const deliveries = await this.service.journal.due(Number.MAX_SAFE_INTEGER, ['test']);
    return deliveries.map(({ message }) => message).filter(({ event }) => event === 'overdue');
  }

  /** When they were told, in days after the start. */
  async toldAfterDays(): Promise<number[]> {
    return (await this.told()).map(({ at }) => (at - NOW) / DAY_MS);
  }
}

describe('A started notice', () => {
  it('that nothing follows is told of after three and after seven days, and then forgotten', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW - MINUTE_MS);
    await scene.pass(10);
    assert.deepEqual(await scene.toldAfterDays(), [3, 7]);
    assert.deepEqual(await scene.service.journal.awaited(), []);
    const [first, last] = await scene.told();
    assert.equal(first?.data.askedAt, NOW - MINUTE_MS);
    assert.match(first?.body ?? '', /ann@example\.org.* 2026-11-21 19:04 UTC/);
    assert.deepEqual([first?.data.last, last?.data.last], [false, true]);
  });

  it('is awaited over restarts of the service, with the days that are set then', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW);
    await scene.pass(3);
    await scene.stop();
    await scene.start([DAY_MS, 5 * DAY_MS]);
    await scene.pass(7);
    assert.deepEqual(await scene.toldAfterDays(), [3, 5]);
  });

  it('that a ready one follows is never told of, whatever becomes of the export', async () => {
    const refused = { ...LOST_LINK, provider: 'openai' };
    for (const answer of [READY, refused]) {
      await using scene = await Scene.open();
      await scene.mail(STARTED, NOW);
      await scene.mail(answer, NOW + HOUR_MS);
      await scene.pass(8);
      assert.deepEqual(await scene.told(), []);
    }
  });

  it('is answered by another email about an export that is known already', async () => {
    await using scene = await Scene.open();
    await scene.mail(READY, NOW - 2 * DAY_MS);
    await scene.mail(STARTED, NOW - DAY_MS);
    await scene.mail(READY, NOW);
    await scene.pass(8);
    assert.deepEqual(await scene.told(), []);
  });

  it('is not answered by an email that is not proved, of another provider, or in another mailbox', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW);
    await scene.mail(LOST_LINK, NOW);
    await scene.mail({ ...READY, provider: 'acme' }, NOW);
    await scene.mail(READY, NOW, { mailbox: BOB });
    await scene.pass(3);
    assert.deepEqual(await scene.toldAfterDays(), [3]);
  });

  it('is answered by a ready one that was read before it, and not by an older one', async () => {
    await using scene = await Scene.open();
    await scene.mail(READY, NOW - 4 * DAY_MS);
    await scene.mail(STARTED, NOW - 5 * DAY_MS);
    await scene.pass(8);
    assert.deepEqual(await scene.told(), []);
    await scene.mail(STARTED, NOW - 3 * DAY_MS + 8 * DAY_MS);
    await scene.pass(1);
    assert.equal((await scene.told()).length, 1);
  });

  it('is one in however many folders it lies', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW, { messageId: '<same@test>' });
    await scene.mail(STARTED, NOW + 5 * MINUTE_MS, { folder: 'All Mail', messageId: '<same@test>' });
    const [awaited] = await scene.service.journal.awaited();
    assert.equal(awaited?.requests.length, 1);
  });

  it('does not begin anew when it is seen in another folder after its answer has come', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW, { messageId: '<same@test>' });
    await scene.pass(8);
    await scene.mail(STARTED, NOW + 8 * DAY_MS, { folder: 'Archive', messageId: '<same@test>' });
    assert.deepEqual(await scene.service.journal.awaited(), []);
  });

  it('is told of only when the mailbox has been searched since that day', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW);
    await scene.clock.advance(5 * DAY_MS);
    await scene.remind(NOW + 3 * DAY_MS - 1);
    await scene.service.watchdog.remind(() => undefined);
    assert.deepEqual(await scene.told(), []);
    await scene.mail(READY, NOW + 2 * DAY_MS);
    await scene.remind();
    assert.deepEqual(await scene.told(), []);
  });

  it('whose time lies ahead counts from when it was read, and so does its answer', async () => {
    await using scene = await Scene.open();
    await scene.mail(READY, NOW + 30 * DAY_MS);
    await scene.clock.advance(DAY_MS);
    await scene.mail(STARTED, NOW + 30 * DAY_MS);
    await scene.pass(3);
    assert.deepEqual(await scene.toldAfterDays(), [4]);
  });
});

describe('A file that a person hands in', () => {
  it('answers a started notice if it was made later, and status knows it at once', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW);
    await scene.handIn(NOW + DAY_MS);
    const kept = keptExports(await listSnapshots(scene.service.backups.path));
    const awaited = await scene.service.journal.awaited();
    assert.equal(awaited.length, 1);
    assert.deepEqual(stillAwaited(awaited, kept, ACCOUNTS), []);
    await scene.pass(8);
    assert.deepEqual(await scene.told(), []);
  });

  it('answers it, too, if nothing has changed in it', async () => {
    await using scene = await Scene.open();
    await scene.handIn(NOW - DAY_MS);
    await scene.mail(STARTED, NOW);
    const { kind } = await take(
      scene.service.backups,
      'again',
      { 'chat.html': `${NOW - DAY_MS}` },
      { exportTime: NOW + DAY_MS, account: ANN },
    );
    assert.equal(kind, 'unchanged');
    await scene.pass(8);
    assert.deepEqual(await scene.told(), []);
  });

  it('does not answer it if it was made before, or is another mailbox’s account’s', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW);
    await scene.handIn(NOW - DAY_MS);
    await scene.handIn(NOW + DAY_MS, 'bob@example.org');
    const kept = keptExports(await listSnapshots(scene.service.backups.path));
    assert.equal(stillAwaited(await scene.service.journal.awaited(), kept, ACCOUNTS).length, 1);
    await scene.pass(3);
    assert.deepEqual(await scene.toldAfterDays(), [3]);
  });

  it('answers it if nobody knows whose account it is of', async () => {
    await using scene = await Scene.open();
    await scene.mail(STARTED, NOW);
    await scene.handIn(NOW + DAY_MS, 'unknown-account');
    await scene.pass(8);
    assert.deepEqual(await scene.told(), []);
  });
});

describe('What is awaited in a mailbox that was taken out of the configuration', () => {
  it('is not shown', () => {
    const request = { askedAt: NOW, seenAt: NOW, remindedAt: undefined };
    const awaited = { mailbox: 'gone', provider: 'openai', cameAt: undefined, requests: [request] };
    assert.deepEqual(stillAwaited([awaited], [], ACCOUNTS), []);
  });
});
