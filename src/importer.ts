import { type Assembly, assemble, journalPath } from './assembly.ts';
import {
  type Capture,
  type HandIn,
  type Journal,
  openSqliteJournal,
  type Progress,
  whenSettled,
} from './capture/index.ts';
import type { Config } from './config/index.ts';
import { judgeHealth, readHeartbeat } from './heartbeat.ts';
import { both } from './lib/both.ts';
import { type Clock, MINUTE_MS, SECOND_MS } from './lib/clock.ts';
import { ChatkeepError } from './lib/errors.ts';
import type { Logger } from './lib/logger.ts';

/** How long notifications may take at the end; what is left goes out with the next start. */
const DELIVERIES_MS = 10 * SECOND_MS;
const LOOK_EVERY_MS = SECOND_MS / 5;
/** A service that is just starting has the directories some moments before it gives its first sign of life. */
const SIGN_OF_LIFE_WITHIN_MS = 3 * SECOND_MS;
/** The service looks every few seconds; one that takes longer than this hangs. */
const ACCEPTED_WITHIN_MS = MINUTE_MS;

/** A service that is restarted is back by then, and finds its directories free. */
const TAKE_OVER_AFTER_MS = 5 * SECOND_MS;

export interface ImportOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (file: HandIn, progress: Progress) => void;
}

/** What has become of a file. */
export type ImportOutcome =
  | { readonly kind: 'committed'; readonly snapshot: string }
  | { readonly kind: 'duplicate'; readonly of: string }
  /** It holds the very files of this snapshot. */
  | { readonly kind: 'unchanged'; readonly since: string }
  | {
      readonly kind: 'refused';
      readonly reason: string;
      /** Where the file is; undefined where it was gone before it could be read. */
      readonly kept: string | undefined;
    }
  /** It is in the journal, and the service or the next start goes on with it. */
  | { readonly kind: 'held-up'; readonly reason: string; readonly by: 'storage' | 'failure' };

export interface Imported {
  /** The capture's id. */
  readonly capture: string;
  readonly outcome: ImportOutcome;
}

/**
 * Takes archives in, one after the other: by this process; or, where the service has the directories, by the service,
 * and by this process again if the service ends meanwhile. Gives what they became, in the same order.
 *
 * @throws ChatkeepError `in-use` if something else than the service has the directories, or if the service does not
 *   accept a file within a minute; the signal's reason
 */
export async function importFiles(files: readonly HandIn[], options: ImportOptions): Promise<Imported[]> {
  try {
    return await importHere(files, options);
  } catch (error) {
    const isInUse = error instanceof ChatkeepError && error.class === 'in-use';
    if (!isInUse || !(await serviceRuns(options))) throw error;
    return importByService(files, options);
  }
}

async function importHere(files: readonly HandIn[], options: ImportOptions): Promise<Imported[]> {
  const { clock, signal, onProgress } = options;
  await using work = await beginWork(options);
  const { conductor, journal } = work.assembly;
  const imported: Imported[] = [];
  for (const file of files) {
    const id = await conductor.intake.takeFile(file);
    const tell = () => {
      const progress = conductor.progress.get(id);
      if (progress !== undefined) onProgress(file, progress);
    };
    imported.push(importedAs(file, await whenSettled(journal, id, clock, signal, tell)));
  }
  return imported;
}

/** Captures are worked on in this process until this is disposed of. */
interface Work extends AsyncDisposable {
  readonly assembly: Assembly;
}

/** @throws ChatkeepError `in-use` if another process has the directories */
async function beginWork({ config, logger, signal }: ImportOptions): Promise<Work> {
  const assembly = await assemble(config, logger);
  const done = new AbortController();
  const running = assembly.conductor.run(AbortSignal.any([signal, done.signal]));
  return {
    assembly,
    async [Symbol.asyncDispose]() {
      await using _parts = assembly;
      done.abort();
      await running;
      await assembly.dispatcher.flush(signal, { timeLimitMs: DELIVERIES_MS });
    },
  };
}

async function serviceRuns({ config, clock, signal }: ImportOptions): Promise<boolean> {
  for (const until = clock.now() + SIGN_OF_LIFE_WITHIN_MS; ; await clock.sleep(LOOK_EVERY_MS, signal)) {
    const health = judgeHealth(await readHeartbeat(config.stateDir), clock.now());
    if (health.kind !== 'not-running') return true;
    if (clock.now() >= until) return false;
  }
}

async function importByService(files: readonly HandIn[], options: ImportOptions): Promise<Imported[]> {
  const { config, clock, signal } = options;
  await using journal = openSqliteJournal(journalPath(config));
  await using successor = new Successor(options);
  const imported: Imported[] = [];
  for (const file of files) {
    const id = await acceptedAs(file, journal, successor, options);
    const settled = new AbortController();
    const [capture] = await both(
      signal,
      (stop) => whenSettled(journal, id, clock, stop).finally(() => settled.abort()),
      (stop) => tellProgress(file, id, successor, options, AbortSignal.any([stop, settled.signal])),
    );
    imported.push(importedAs(file, capture));
  }
  return imported;
}

/** Hands the file to the service, and gives the id of the capture that it becomes. */
async function acceptedAs(
  file: HandIn,
  journal: Journal,
  successor: Successor,
  { clock, signal }: ImportOptions,
): Promise<string> {
  const handIn = await journal.handIn(file);
  for (const until = clock.now() + ACCEPTED_WITHIN_MS; ; await clock.sleep(LOOK_EVERY_MS, signal)) {
    const id = await journal.captureOfHandIn(handIn);
    if (id !== undefined) return id;
    await successor.look();
    if (clock.now() < until) continue;
    throw new ChatkeepError('in-use', `The running Chatkeep has not accepted ${file.path} within a minute.`, {
      next: 'Run `chatkeep status` and look at the log of the service. The file stays handed in: leave it where it is, and the service takes it as soon as it can.',
    });
  }
}

/**
 * Goes on with the work in this process when the service has ended meanwhile. What is to be done is in the journal, so
 * that nothing is lost between the two.
 */
class Successor implements AsyncDisposable {
  readonly #options: ImportOptions;
  /** Since when the service gives no sign of life, ms UTC. */
  #silentSince: number | undefined;
  #work: Work | undefined;

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  /** Takes over if the service has ended, and nobody else has its place. */
  async look(): Promise<void> {
    const { config, logger, clock } = this.#options;
    if (this.#work !== undefined) return;
    const now = clock.now();
    const isSilent = judgeHealth(await readHeartbeat(config.stateDir), now).kind === 'not-running';
    this.#silentSince = isSilent ? (this.#silentSince ?? now) : undefined;
    if (this.#silentSince === undefined || now - this.#silentSince < TAKE_OVER_AFTER_MS) return;
    try {
      this.#work = await beginWork(this.#options);
      logger.warn('the service has stopped; this command goes on with the work itself');
    } catch (error) {
      // A service that was started anew.
      if (!(error instanceof ChatkeepError) || error.class !== 'in-use') throw error;
    }
  }

  progressOf(captureId: string): Progress | undefined {
    return this.#work?.assembly.conductor.progress.get(captureId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work?.[Symbol.asyncDispose]();
  }
}

/** Tells how far the service is with the capture, and looks after the service meanwhile. */
async function tellProgress(
  file: HandIn,
  captureId: string,
  successor: Successor,
  { config, clock, onProgress }: ImportOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await successor.look();
    const work = (await readHeartbeat(config.stateDir))?.work.find(({ capture }) => capture === captureId);
    const progress = successor.progressOf(captureId) ?? (work && { ...work, total: work.total ?? undefined });
    if (progress !== undefined) onProgress(file, progress);
    await clock.sleep(SECOND_MS, signal).catch(() => {});
  }
}

function importedAs(file: HandIn, capture: Capture): Imported {
  return { capture: capture.id, outcome: outcomeOf(file, capture) };
}

function outcomeOf(file: HandIn, { state, trouble }: Capture): ImportOutcome {
  switch (state.name) {
    case 'committed':
      return { kind: 'committed', snapshot: state.snapshot };
    case 'duplicate':
      return { kind: 'duplicate', of: state.of };
    case 'unchanged':
      return { kind: 'unchanged', since: state.since };
    case 'refused':
      return { kind: 'refused', reason: state.reason, kept: state.kept };
    case 'waiting':
      if (state.next.name === 'unpack') {
        return { kind: 'held-up', reason: state.reason, by: trouble?.kind === 'storage' ? 'storage' : 'failure' };
      }
      return { kind: 'refused', reason: `${state.reason} The export is fetched by its link.`, kept: file.path };
    default:
      return { kind: 'refused', reason: 'The export is fetched by its link instead.', kept: file.path };
  }
}
