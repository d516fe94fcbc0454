import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Capture } from '../../../src/capture/capture.ts';
import { hasEnded, type Journal, openSqliteJournal, Recorder, Worker } from '../../../src/capture/index.ts';
import { summarize, takeInventory } from '../../../src/chatgpt/index.ts';
import { createLogins, createTransport, Downloader } from '../../../src/download/index.ts';
import { type Clock, DAY_MS, HOUR_MS, SECOND_MS, systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { Mutex } from '../../../src/lib/mutex.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { downloadPlaces } from '../../../src/notice/index.ts';
import type { Message } from '../../../src/notify/index.ts';
import { openBackupDirectory } from '../../../src/snapshot/index.ts';
import { startChromium } from '../../support/chromium.ts';
import { saveHonestZip } from '../../support/honest-zip.ts';
import { createAuthority } from '../../support/openai/certificates.ts';
import { type LinkForm, type PublishedExport, startOpenAiServer } from '../../support/openai/server.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { noticeCapture } from '../examples.ts';
import { EXPORT_FILES, withMethods } from '../workshop.ts';
import { type FaultCase, SOME_BYTES } from './faults.ts';
import { type LoginCase, SESSION, TOKEN } from './logins.ts';

/** As often is a capture worked on that comes to nothing: more often than anything has to be tried until it is told. */
const MOST_ADVANCES = 6;
/** What the service waits for passes this many times faster. */
const HURRY = 100;
const STALL_MS = 30 * SECOND_MS;

/** A clock by which the pauses between requests are short; nothing is judged by it but silence and deadlines. */
const hurriedClock: Clock = {
  now: () => START_MS + (Date.now() - START_MS) * HURRY,
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
};
const START_MS = Date.now();

/** A row of the table. */
export interface Row {
  readonly form: LinkForm;
  readonly login: LoginCase;
  readonly fault: FaultCase;
}

/** What came of it. */
export interface Played {
  readonly capture: Capture;
  /** All that people were told, in order. */
  readonly told: readonly Message[];
  readonly published: PublishedExport;
  /** The file of the snapshot that tells exports apart; undefined if there is none. */
  readonly kept: string | undefined;
  /** What it should say. */
  readonly expected: string;
}

/** The worker at its work, with the real downloader, journal and backup directory, and OpenAI's simulator. */
export class Stage implements AsyncDisposable {
  readonly #parts: AsyncDisposableStack;
  readonly #play: (row: Row, number: number) => Promise<Played>;
  #rows = 0;

  private constructor(parts: AsyncDisposableStack, play: (row: Row, number: number) => Promise<Played>) {
    this.#parts = parts;
    this.#play = play;
  }

  static async open(): Promise<Stage> {
    await using parts = new AsyncDisposableStack();
    const { path: base } = parts.use(await tempDir());
    const downloads = join(base, 'downloads');
    await mkdir(downloads);
    const authority = await createAuthority();
    const known = { authority, bearerTokens: [TOKEN], sessionTokens: [SESSION] };
    const usual = parts.use(await startOpenAiServer(known));
    const strict = parts.use(await startOpenAiServer({ ...known, deniesCookieAlone: true }));
    const wary = parts.use(await startOpenAiServer({ ...known, deniesPrograms: true }));
    const browser = parts.use(await startChromium({ trusting: [usual, wary] }));
    // Cookies are for a host, whatever its port.
    await browser.signIn(usual.origin, SESSION);
    const caFile = join(base, 'ca.pem');
    await writeFile(caFile, authority.certPem);
    const places = downloadPlaces([usual.origin, strict.origin, wary.origin]);
    const transport = await createTransport({ places, caFile });
    parts.defer(() => transport.close());
    const journal = parts.use(openSqliteJournal(join(base, 'journal.sqlite')));
    const unpacking = new Mutex();
    const [first, second] = [await exportZip(base, 'first'), await exportZip(base, 'second')];

    async function play({ form, login, fault }: Row, number: number): Promise<Played> {
      const directory = join(base, `row-${number}`);
      await mkdir(directory);
      // All rows fetch the same export: in one backup directory it could be that of another row, and no second one is made.
      await using backups = await openBackupDirectory(join(directory, 'backups'), { logger: silentLogger });
      for (const [name, content] of Object.entries(login.files ?? {})) await writeFile(join(directory, name), content);
      const isDead = fault.link === 'dead' || fault.link === 'dead-for-server';
      const stamp = new Date(isDead ? Date.now() - DAY_MS - HOUR_MS : Date.now());
      const server = login.isCookieDeniedAlone ? strict : login.isDeniedToPrograms ? wary : usual;
      const account = `row-${number}`;
      const published = server.publish({ form, body: { path: first.path }, stamp, account });
      published.faults.push(
        ...(fault.first ?? []).map((one) => (one.kind === 'changed' ? { ...one, body: { path: second.path } } : one)),
      );
      published.always = fault.always?.(published.link);
      if (fault.changesAfterFirst) {
        const forget = server.onRequest(({ exportId }) => {
          if (exportId !== published.exportId) return;
          forget();
          published.change({ path: second.path });
        });
      }
      const told: Message[] = [];
      const recorder = new Recorder({
        journal: noting(journal, told),
        recipientsOf: () => ['test'],
        onRecorded: () => {},
      });
      const downloader = new Downloader({
        transport,
        places,
        logins: createLogins(login.logins({ directory, cdpUrl: browser.cdpUrl }), { transport }),
        // Real silence is waited for where there is some, and else never taken for it: the machine may be busy.
        stallMs: kindsOf(fault).includes('stall') ? STALL_MS : STALL_MS * HURRY,
        connections: 4,
        clock: hurriedClock,
        logger: silentLogger,
      });
      const worker = new Worker({
        recorder,
        backups,
        downloader,
        downloads,
        budgets: { maxEntries: 1000, maxUnpackedBytes: 10_000_000, maxRatio: 200 },
        stock: {
          summarize: async (unpacked, _capture, signal) => summarize(await takeInventory(unpacked, { signal })),
          newsOf: async () => ({ kind: 'first' }),
          discard: async () => {},
        },
        unpacking,
        clock: hurriedClock,
        random: () => 0.5,
        logger: silentLogger,
        settings: { remindHoursLeft: [], dropDir: undefined },
        onProgress: () => {},
        onArchive: () => {},
      });
      let capture = noticeCapture(
        { name: 'found' },
        {
          id: number.toString(16).padStart(12, '0'),
          exportId: published.exportId,
          exportTime: published.stamp,
          account,
          foundAt: hurriedClock.now(),
          origin: {
            link: new Secret(fault.link === 'forged' ? forged(published.link) : published.link),
            deadline: fault.link === 'dead' ? published.expiresAt : hurriedClock.now() + 30 * DAY_MS,
          },
        },
      );
      for (let advance = 0; advance < MOST_ADVANCES && !hasEnded(capture); advance += 1) {
        const before = { state: capture.state.name, told: told.length };
        capture = await worker.advance(capture, new AbortController().signal);
        const isTold = capture.trouble !== undefined && before.told === told.length;
        // From now on it would be the same for ever.
        if (isTold && before.state === capture.state.name && published.faults.length === 0) break;
      }
      const snapshot =
        capture.state.name === 'committed'
          ? join(backups.path, account, capture.state.snapshot.split('/').at(-1) ?? '')
          : undefined;
      const kept = snapshot && (await readFile(join(snapshot, 'which.txt'), 'utf8'));
      const isChanged = fault.changesAfterFirst === true || kindsOf(fault).includes('changed');
      return { capture, told, published, kept, expected: isChanged ? 'second' : 'first' };
    }

    return new Stage(parts.move(), play);
  }

  play(row: Row): Promise<Played> {
    this.#rows += 1;
    return this.#play(row, this.#rows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

function kindsOf({ first = [], always }: FaultCase): string[] {
  return [...first, ...(always === undefined ? [] : [always('https://localhost/')])].map(({ kind }) => kind);
}

/** The signature is for another link. */
function forged(link: string): string {
  const url = new URL(link);
  url.searchParams.set('sig', '0'.repeat(64));
  return url.href;
}

/** An archive that cannot be compressed, so that cuts meet it where they are meant to. */
async function exportZip(base: string, which: string): Promise<{ readonly path: string }> {
  const path = join(base, `${which}.zip`);
  const noise = Buffer.from(Array.from({ length: 3 * SOME_BYTES }, (_, at) => (at * at * 31 + at * 7) & 0xff));
  await saveHonestZip(path, { ...EXPORT_FILES, 'noise.bin': noise, 'which.txt': which }, { compress: false });
  return { path };
}

/** Notes what people are told. */
function noting(journal: Journal, told: Message[]): Journal {
  return withMethods(journal, {
    record: async (entry) => {
      await journal.record(entry);
      told.push(...(entry.notifications ?? []).map(({ message }) => message));
    },
  });
}
