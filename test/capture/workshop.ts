import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Capture, CaptureState } from '../../src/capture/capture.ts';
import {
  Conductor,
  Intake,
  type Journal,
  openSqliteJournal,
  Recorder,
  type StockTaking,
  Watchdog,
  Worker,
} from '../../src/capture/index.ts';
import { type ExportSummary, summarize, takeInventory } from '../../src/chatgpt/index.ts';
import type { DownloadOutcome, DownloadRequest } from '../../src/download/index.ts';
import { SECOND_MS } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { RawMessage } from '../../src/mailbox/index.ts';
import type { Notice, ReadyNotice } from '../../src/notice/index.ts';
import type { Message } from '../../src/notify/index.ts';
import { type BackupDirectory, openBackupDirectory } from '../../src/snapshot/index.ts';
import { saveHonestZip } from '../support/honest-zip.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { DEADLINE_MS, EXPORT_ID, FOUND_MS, LINK, SETTINGS } from './examples.ts';

/** Longer than any of it takes; a test that waits for this has failed. */
const PATIENCE_MS = 20 * SECOND_MS;
const TOLD = 'test';
const BUDGETS = { maxEntries: 1000, maxUnpackedBytes: 10_000_000, maxRatio: 200 };

/** What an export holds. */
export const EXPORT_FILES = {
  'conversations-000.json': '[{"title":"About tea","mapping":{}}]',
  'chat.html': '<html><script>var jsonData = [];</script></html>',
  'user.json': '{"id":"user-1","email":"Ann@Example.org"}',
};

export const READY: ReadyNotice = {
  kind: 'ready',
  provider: 'openai',
  exportId: EXPORT_ID,
  link: new Secret(LINK),
  exportTime: FOUND_MS,
  deadline: DEADLINE_MS,
  proof: 'DKIM d=tm.openai.com',
};

export type Download = (request: DownloadRequest) => Promise<DownloadOutcome>;

/** A download that is let in at once, and brings the archive. */
export function bringing(archive: string): Download {
  return async ({ directory, name }) => {
    const path = join(directory, `${name}.zip`);
    await copyFile(archive, path);
    return { kind: 'whole', path, bytes: 1 };
  };
}

/** A download that brings nothing for as long as it is let run. */
export const stalled: Download = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

export const wantsLogin: Download = async () => ({ kind: 'needs-login', detail: 'No login will do.' });

/** The same object, but for these methods. */
export function withMethods<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get(target, key) {
      const value: unknown = Reflect.get(key in methods ? methods : target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface Parts {
  /** What is around the real journal, if anything. */
  readonly journal?: (real: Journal) => Journal;
  /** What is around the real backup directory, if anything. */
  readonly backups?: (real: BackupDirectory) => BackupDirectory;
}

/**
 * The whole of the capture room at work: real journal, real backup directory, real archives; the clock stands still
 * unless told, and the tests say how downloads go.
 */
export class Workshop implements AsyncDisposable {
  readonly directory: string;
  readonly drop: string;
  readonly downloads: string;
  readonly clock = new VirtualClock();
  /** How the next downloads go; every call is remembered. */
  download: Download = stalled;
  readonly requests: DownloadRequest[] = [];
  /** How exports are read, when they are; without a process of its own. */
  summarize = async (directory: string, signal: AbortSignal): Promise<ExportSummary> =>
    summarize(await takeInventory(directory, { signal }));
  /** What is found to be new in snapshots. */
  newsOf: StockTaking['newsOf'] = async () => ({ kind: 'first' });
  /** Captures whose exports became no snapshot. */
  readonly discarded: string[] = [];
  logins = 'first login';
  /** What the next message turns out to be. */
  notice: Notice = READY;
  #parts: Parts = {};
  #uid = 0;
  #running: { readonly conductor: Conductor; stop(): Promise<void> } | undefined;
  #journal: Journal | undefined;
  #backups: BackupDirectory | undefined;
  readonly #temporary: AsyncDisposable;

  private constructor(temporary: AsyncDisposable & { path: string }) {
    this.#temporary = temporary;
    this.directory = temporary.path;
    this.drop = join(temporary.path, 'drop');
    this.downloads = join(temporary.path, 'state', 'downloads');
  }

  /** Opens a workshop in a fresh place, with its conductor at work. */
  static async open(parts: Parts = {}): Promise<Workshop> {
    const workshop = new Workshop(await tempDir());
    await mkdir(workshop.drop);
    await mkdir(workshop.downloads, { recursive: true });
    workshop.#parts = parts;
    await workshop.start();
    return workshop;
  }

  get journal(): Journal {
    assert.ok(this.#journal !== undefined);
    return this.#journal;
  }

  get backups(): BackupDirectory {
    assert.ok(this.#backups !== undefined);
    return this.#backups;
  }

  get conductor(): Conductor {
    assert.ok(this.#running !== undefined);
    return this.#running.conductor;
  }

  get intake(): Intake {
    return this.conductor.intake;
  }

  /** Another process's hold on the journal. */
  openJournal(): Journal {
    return openSqliteJournal(join(this.directory, 'state', 'journal.sqlite'));
  }

  /** Starts the service; after a stop, with all that was left by then. */
  async start(parts: Parts = this.#parts): Promise<void> {
    const { clock, downloads } = this;
    const random = () => 0.5;
    const logger = silentLogger;
    const backups = await openBackupDirectory(join(this.directory, 'backups'), { logger });
    const journal = this.openJournal();
    this.#backups = parts.backups?.(backups) ?? backups;
    this.#journal = parts.journal?.(journal) ?? journal;
    const shared = {
      journal: this.#journal,
      backups: this.#backups,
      clock,
      random,
      logger,
      budgets: BUDGETS,
      settings: SETTINGS,
    };
    const recorder = new Recorder({
      journal: this.#journal,
      recipientsOf: () => [TOLD],
      onRecorded: () => conductor.wake(),
    });
    const watchdog = new Watchdog({ ...shared, recorder, reminders: [], accounts: new Map() });
    const conductor = new Conductor({
      ...shared,
      downloads,
      loginsFingerprint: async () => this.logins,
      intake: (hooks) =>
        new Intake({
          ...shared,
          ...hooks,
          recorder,
          watchdog,
          readMessage: async () => this.notice,
          accountOf: () => undefined,
        }),
      worker: (hooks) =>
        new Worker({
          ...shared,
          ...hooks,
          recorder,
          downloads,
          stock: {
            summarize: (unpacked, _capture, signal) => this.summarize(unpacked, signal),
            newsOf: async (snapshot, signal) => this.newsOf(snapshot, signal),
            discard: async (capture) => void this.discarded.push(capture),
          },
          unpacking: new Mutex(),
          downloader: {
            download: (request) => {
              this.requests.push(request);
              return this.download(request);
            },
            loginsFingerprint: async () => this.logins,
          },
        }),
    });
    const stopped = new AbortController();
    const run = conductor.run(stopped.signal);
    this.#running = {
      conductor,
      stop: async () => {
        stopped.abort(new Error('the service is stopped'));
        await run;
        await journal[Symbol.asyncDispose]();
        await backups[Symbol.asyncDispose]();
      },
    };
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#temporary[Symbol.asyncDispose]();
  }

  /** A message reaches the mailbox. */
  async mail(notice: Notice = READY, place: Partial<RawMessage> = {}): Promise<void> {
    this.notice = notice;
    this.#uid += 1;
    await this.intake.takeMessage({
      mailbox: 'ann@example.org',
      folder: 'INBOX',
      uidValidity: '1',
      uid: this.#uid,
      receivedAt: FOUND_MS,
      messageId: `<${this.#uid}@example.org>`,
      bytes: 1,
      source: Buffer.from(''),
      ...place,
    });
  }

  /** Saves an export beside everything, and gives its path. */
  async archive(
    name: string,
    files: Readonly<Record<string, string>> = EXPORT_FILES,
    mtime = FOUND_MS,
  ): Promise<string> {
    const path = join(this.directory, name);
    await saveHonestZip(path, files, { mtime: new Date(mtime) });
    return path;
  }

  /** Puts a file into the drop folder, as if the folder had handed it on; gives the capture's id. */
  async dropIn(archive: string, name: string): Promise<string> {
    const path = join(this.drop, name);
    await copyFile(archive, path);
    return this.intake.takeFile({ path, name, key: `key of ${name}`, afterwards: 'delete', account: undefined });
  }

  /** Waits (real time) until it is so; the clock stands still. */
  async until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(2)) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    }
    throw new Error(`It did not come about: ${what}. ${JSON.stringify(await this.#story(), null, 1)}`);
  }

  /** Waits until the only capture (or the one of this id) is in a state of that name. */
  untilState(name: CaptureState['name'], id?: string): Promise<Capture> {
    return this.until(`a capture is ${name}`, async () => {
      const capture = id === undefined ? (await this.captures())[0] : await this.journal.capture(id);
      return capture?.state.name === name ? capture : undefined;
    });
  }

  /** Waits until a capture has ended and what it left is tidied up. */
  async untilTidy(name: CaptureState['name'], id?: string): Promise<Capture> {
    const { id: ended } = await this.untilState(name, id);
    await this.until('what was left is tidied up', async () => (await this.journal.untidyCaptures()).length === 0);
    const capture = await this.journal.capture(ended);
    assert.ok(capture !== undefined);
    return capture;
  }

  async captures(): Promise<Capture[]> {
    return [...(await this.journal.openCaptures()), ...(await this.journal.endedCaptures(100))];
  }

  /** All that people were told, in order. */
  async told(): Promise<Message[]> {
    return (await this.journal.due(Number.MAX_SAFE_INTEGER, [TOLD])).map(({ message }) => message);
  }

  async toldEvents(): Promise<string[]> {
    return (await this.told()).map(({ event }) => event);
  }

  /** The paths of all snapshots, below the backup directory. */
  async snapshots(): Promise<string[]> {
    const found: string[] = [];
    for (const account of await readdir(this.backups.path, { withFileTypes: true })) {
      if (!account.isDirectory() || account.name.startsWith('.')) continue;
      for (const entry of await readdir(join(this.backups.path, account.name), { withFileTypes: true })) {
        if (entry.isDirectory() && entry.name !== '.chatkeep') found.push(`${account.name}/${entry.name}`);
      }
    }
    return found.sort();
  }

  async #story(): Promise<unknown> {
    return { captures: await this.captures(), told: await this.told() };
  }
}
