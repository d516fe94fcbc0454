import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backoffMs } from '../lib/backoff.ts';
import { type Clock, HOUR_MS, MINUTE_MS, type Random, SECOND_MS } from '../lib/clock.ts';
import { LastingTrouble } from '../lib/lasting-trouble.ts';
import type { Logger } from '../lib/logger.ts';
import { Alarm } from '../lib/wake.ts';
import { type Capture, deadlineOf, dueAt, hasEnded, isOnlyToBeTold, lacksArchive } from './capture.ts';
import type { FileToTake, Intake, IntakeOptions } from './intake.ts';
import type { Journal } from './journal.ts';
import type { Progress, Worker, WorkerHooks } from './worker.ts';

export interface ConductorOptions {
  readonly journal: Journal;
  readonly intake: (hooks: Pick<IntakeOptions, 'interrupt'>) => Intake;
  readonly worker: (hooks: WorkerHooks) => Worker;
  readonly loginsFingerprint: () => Promise<string>;
  /** Where downloads lie until their snapshot is committed; it is there. */
  readonly downloads: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Downloads share one line; more of them at once only makes each slower. */
const MOST_DOWNLOADS_AT_ONCE = 3;
/** An export whose link dies within this time waits for no other. */
const NO_WAITING_WITHIN_MS = HOUR_MS;
/** How soon a hand-in of another process, or a changed login, is noticed. */
const LOOK_EVERY_MS = 2 * SECOND_MS;
/** When even the record of a failure cannot be written. */
const RECORDING_BACKOFF = { firstMs: SECOND_MS, mostMs: MINUTE_MS };

interface Job {
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/** Decides which capture is worked on when; the only one that sets captures going. */
export class Conductor {
  readonly #options: ConductorOptions;
  readonly #intake: Intake;
  readonly #worker: Worker;
  readonly #alarm: Alarm;
  readonly #journalTrouble: LastingTrouble;
  #lookedAt: number | undefined;
  #downloadedBytes = 0;
  readonly #jobs = new Map<string, Job>();
  /** The jobs that have not come to their archive yet. */
  readonly #downloading = new Set<string>();
  /** Captures that nobody may begin to work on just now. */
  readonly #held = new Set<string>();
  readonly #progress = new Map<string, Progress>();
  /** Captures whose record failed, and when they may be tried again: kept in memory, for the journal cannot. */
  readonly #unrecorded = new Map<string, { attempt: number; until: number }>();

  constructor(options: ConductorOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
    this.#journalTrouble = new LastingTrouble(options);
    this.#intake = options.intake({ interrupt: (captureId, meanwhile) => this.#interrupt(captureId, meanwhile) });
    this.#worker = options.worker({
      onProgress: (captureId, progress) => this.#note(captureId, progress),
      onArchive: (captureId) => {
        this.#downloading.delete(captureId);
        this.#alarm.wake();
      },
    });
  }

  /** When the captures were last looked through for what is due, ms UTC: proof that the journal can be used. */
  get lookedAt(): number | undefined {
    return this.#lookedAt;
  }

  get intake(): Intake {
    return this.#intake;
  }

  /** How far the captures are that are being worked on. */
  get progress(): ReadonlyMap<string, Progress> {
    return this.#progress;
  }

  /** Bytes of exports that were downloaded since the start. */
  get downloadedBytes(): number {
    return this.#downloadedBytes;
  }

  /** There may be something to do. */
  wake(): void {
    this.#alarm.wake();
  }

  /**
   * Tidies up what an earlier process has left, then works on captures as they become due, until the signal aborts and
   * the work in hand has stopped.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#tidyUp();
    while (!signal.aborted) {
      try {
        await this.#acceptHandIns();
        await this.#startDueCaptures(signal);
        this.#lookedAt = this.#options.clock.now();
        this.#journalTrouble.end('the journal can be used again');
      } catch (error) {
        this.#journalTrouble.tell(error, 'the journal cannot be used; it is tried again');
      }
      await this.#alarm.sleep(LOOK_EVERY_MS, signal);
    }
    await Promise.all([...this.#jobs.values()].map(({ done }) => done));
  }

  #note(captureId: string, progress: Progress): void {
    const before = this.#progress.get(captureId);
    // The first report is of what an earlier attempt has left.
    if (progress.phase === 'downloading' && before?.phase === 'downloading') {
      this.#downloadedBytes += Math.max(0, progress.done - before.done);
    }
    this.#progress.set(captureId, progress);
  }

  /** Rubbish is no reason not to begin: what cannot be tidied up now is left to the next start. */
  async #tidyUp(): Promise<void> {
    const { journal, downloads, logger } = this.#options;
    try {
      for (const capture of await journal.untidyCaptures()) await this.#worker.tidy(capture);
      const open = new Set((await journal.openCaptures()).map(({ id }) => id));
      for (const name of await readdir(downloads)) {
        const [id = ''] = name.split('.');
        if (!open.has(id)) await rm(join(downloads, name), { force: true });
      }
    } catch (error) {
      logger.warn({ err: error }, 'what an earlier run has left could not be tidied up');
    }
  }

  async #acceptHandIns(): Promise<void> {
    const { journal, logger } = this.#options;
    for (const { id, ...file } of await journal.pendingHandIns()) {
      const toTake: FileToTake = { ...file, handInId: id };
      try {
        await this.#intake.takeFile(toTake);
      } catch (error) {
        logger.error(
          { err: error, file: file.name },
          'a file that was handed in could not be taken; it is tried again',
        );
      }
    }
  }

  async #startDueCaptures(signal: AbortSignal): Promise<void> {
    // What has a deadline goes before what has none.
    const urgency = (capture: Capture) => deadlineOf(capture) ?? Number.POSITIVE_INFINITY;
    const captures = (await this.#options.journal.openCaptures()).toSorted((a, b) =>
      Math.sign(urgency(a) - urgency(b)),
    );
    for (const capture of captures) {
      const isDue = await this.#isDue(capture);
      if (isDue && !this.#jobs.has(capture.id) && !this.#held.has(capture.id) && this.#hasRoomFor(capture)) {
        this.#start(capture, signal);
      }
    }
  }

  /** Only downloads wait for one another here: unpackings stand in line at their mutex, and a word costs nothing. */
  #hasRoomFor(capture: Capture): boolean {
    const left = (deadlineOf(capture) ?? Number.POSITIVE_INFINITY) - this.#options.clock.now();
    return (
      !this.#isDownload(capture) || this.#downloading.size < MOST_DOWNLOADS_AT_ONCE || left <= NO_WAITING_WITHIN_MS
    );
  }

  #isDownload(capture: Capture): boolean {
    return lacksArchive(capture) && !isOnlyToBeTold(capture, this.#options.clock.now());
  }

  async #isDue(capture: Capture): Promise<boolean> {
    const now = this.#options.clock.now();
    if ((this.#unrecorded.get(capture.id)?.until ?? 0) > now) return false;
    if ((dueAt(capture) ?? Number.POSITIVE_INFINITY) <= now) return true;
    const { state } = capture;
    return state.name === 'needs-login' && state.logins !== (await this.#options.loginsFingerprint());
  }

  #start(capture: Capture, signal: AbortSignal): void {
    const { id: captureId } = capture;
    if (this.#isDownload(capture)) this.#downloading.add(captureId);
    const controller = new AbortController();
    const both = AbortSignal.any([signal, controller.signal]);
    const done = this.#work(captureId, both).finally(() => {
      this.#jobs.delete(captureId);
      this.#downloading.delete(captureId);
      this.#progress.delete(captureId);
      this.#alarm.wake();
    });
    this.#jobs.set(captureId, { controller, done });
  }

  async #work(captureId: string, signal: AbortSignal): Promise<void> {
    const { journal, clock, random, logger } = this.#options;
    try {
      // Read anew: only from here on nobody else changes it, and it may have ended since it was found to be due.
      const capture = await journal.capture(captureId);
      if (capture !== undefined && !hasEnded(capture)) await this.#worker.advance(capture, signal);
      this.#unrecorded.delete(captureId);
    } catch (error) {
      if (signal.aborted) return;
      const attempt = (this.#unrecorded.get(captureId)?.attempt ?? 0) + 1;
      this.#unrecorded.set(captureId, { attempt, until: clock.now() + backoffMs(attempt, RECORDING_BACKOFF, random) });
      logger.error(
        { err: error, capture: captureId },
        'the state of a capture could not be recorded; it is tried again',
      );
    }
  }

  async #interrupt<T>(captureId: string, meanwhile: () => Promise<T>): Promise<T> {
    this.#held.add(captureId);
    try {
      const job = this.#jobs.get(captureId);
      job?.controller.abort(new Error('the archive was handed in'));
      await job?.done;
      return await meanwhile();
    } finally {
      this.#held.delete(captureId);
      this.#alarm.wake();
    }
  }
}

/**
 * Resolves with the capture once the work on it has ended: for good, or until later because it waits or needs a login.
 * Polls, since another process may be working on it.
 */
export async function whenSettled(
  journal: Journal,
  captureId: string,
  clock: Clock,
  signal: AbortSignal,
  onLook?: (capture: Capture) => void,
): Promise<Capture> {
  for (;;) {
    const capture = await journal.capture(captureId);
    if (capture === undefined) throw new Error(`capture ${captureId} is not in the journal`);
    onLook?.(capture);
    const { name } = capture.state;
    if (hasEnded(capture) || name === 'waiting' || name === 'needs-login') return capture;
    await clock.sleep(SECOND_MS / 5, signal);
  }
}
