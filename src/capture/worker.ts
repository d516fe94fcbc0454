import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type ArchiveBudgets,
  ArchiveRefusal,
  type ArchiveRefusalReason,
  inspectArchive,
  openInnerArchives,
  sha256OfArchive,
  unpackArchive,
} from '../archive/index.ts';
import { ACCOUNT_FILE, type ExportSummary, exportTimeOf, findAccount, isInnerExport } from '../chatgpt/index.ts';
import { type Downloader, filesOfDownload } from '../download/index.ts';
import type { Clock, Random } from '../lib/clock.ts';
import { asStorageError, ChatkeepError, errorCode, errorMessage, pathOf } from '../lib/errors.ts';
import { exists, removeTree } from '../lib/files.ts';
import type { Logger } from '../lib/logger.ts';
import type { Mutex } from '../lib/mutex.ts';
import { redactText } from '../lib/secret.ts';
import { assertRoom } from '../lib/space.ts';
import { count, formatBytes, formatDuration, formatTimeLeft } from '../lib/text.ts';
import type { BackupDirectory, SnapshotInfo, SnapshotSource, UnchangedExport } from '../snapshot/index.ts';
import { type Archive, type Capture, type EndState, hasEnded, isOnlyToBeTold, type Leftover } from './capture.ts';
import type { Recorder } from './recorder.ts';
import { newsLine, type SnapshotNews } from './snapshot-news.ts';
import { type CaptureEvent, type CaptureSettings, step } from './transitions.ts';

/** How far the work on a capture is. Bytes. */
export interface Progress {
  readonly phase: 'downloading' | 'unpacking';
  readonly done: number;
  readonly total: number | undefined;
}

/** What the worker tells of on the way. */
export interface WorkerHooks {
  readonly onProgress: (captureId: string, progress: Progress) => void;
  /** The capture has its archive. */
  readonly onArchive: (captureId: string) => void;
}

/** Finds out what is in exports. Whatever comes of that, they are kept. */
export interface StockTaking {
  /**
   * Counts what is in an unpacked export.
   * @param capture its id, under which `newsOf` finds what was learnt, until `discard`
   * @throws Error where it cannot be read; the signal's reason
   */
  summarize(directory: string, capture: string, signal: AbortSignal): Promise<ExportSummary>;
  /**
   * What is new in a snapshot that was just committed; undefined where that cannot be told, or not in a short time.
   * @throws the signal's reason
   */
  newsOf(snapshot: SnapshotInfo, signal: AbortSignal): Promise<SnapshotNews | undefined>;
  /** The export did not become a snapshot. Never throws. */
  discard(capture: string): Promise<void>;
}

export interface WorkerOptions extends WorkerHooks {
  readonly recorder: Recorder;
  readonly backups: BackupDirectory;
  readonly downloader: Pick<Downloader, 'download' | 'loginsFingerprint'>;
  /** Where downloads lie until their snapshot is committed. */
  readonly downloads: string;
  readonly budgets: ArchiveBudgets;
  readonly settings: CaptureSettings;
  readonly stock: StockTaking;
  /** Unpacking fills disk and memory caches: one at a time. */
  readonly unpacking: Mutex;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Refusals that a fresh download may mend: the file is broken, not malicious. */
const DAMAGE: ReadonlySet<ArchiveRefusalReason> = new Set([
  'not-a-zip',
  'truncated',
  'malformed',
  'no-files',
  'changed',
  'wrong-size',
  'wrong-crc',
  'corrupt-data',
]);

/** Where an export that does not name its account goes. */
const UNKNOWN_ACCOUNT = 'unknown-account';
const WITHOUT_ACCOUNT = `The export does not say whose it is: there is no e-mail in ${ACCOUNT_FILE}.`;
const NOT_SUMMED_UP =
  'What is in the export could not be counted: reading it failed. All of it is kept as it came; the log has the reason.';

/** Does the work of one capture. What it decides is in transitions.ts; what it does is in the rooms. */
export class Worker {
  readonly #options: WorkerOptions;
  /** What the log was last told to hold up a capture: the same reason again is no news. */
  readonly #loggedReasons = new Map<string, string>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /**
   * Works on a capture until it waits or has ended; every state on the way is recorded before the next step.
   * @throws the signal's reason when it aborts, and whatever the journal throws
   */
  async advance(capture: Capture, signal: AbortSignal): Promise<Capture> {
    const logger = this.#options.logger.child({ capture: capture.id });
    let current = capture;
    do {
      signal.throwIfAborted();
      const event = await this.#work(current, logger, signal);
      current = await this.#apply(current, event, logger);
      if (current.state.name === 'unpacking') this.#options.onArchive(capture.id);
    } while (current.state.name === 'downloading' || current.state.name === 'unpacking');
    return hasEnded(current) ? this.tidy(current) : current;
  }

  /**
   * Deletes what an ended capture has left behind. Never throws: the capture has ended all the same, and what cannot be
   * deleted now is deleted after the next start.
   */
  async tidy(capture: Capture): Promise<Capture> {
    if (!hasEnded(capture)) return capture;
    try {
      return await this.#deleteLeftovers(capture);
    } catch (error) {
      this.#options.logger.warn(
        { err: error, capture: capture.id },
        'what an ended capture has left could not be deleted; it is tried again at the next start',
      );
      return capture;
    }
  }

  async #deleteLeftovers(capture: Capture & { readonly state: EndState }): Promise<Capture> {
    const { state } = capture;
    const target = join(this.#options.downloads, `${capture.id}.zip`);
    // A download in the making, or a whole one, when the archive was handed in after all.
    for (const path of filesOfDownload(target)) await rm(path, { force: true });
    if (!('leftover' in state) || state.leftover === undefined) return capture;
    await this.#deleteLeftover(state.leftover);
    const tidied: Capture = { ...capture, state: { ...state, leftover: undefined } };
    await this.#options.recorder.record({ captures: [tidied] });
    return tidied;
  }

  /** What lies there may be another file by now, which somebody has put in since: that one is not ours to delete. */
  async #deleteLeftover({ path, sha256 }: Leftover): Promise<void> {
    const { logger } = this.#options;
    // Of a folder, a process that died may have deleted a part.
    await removeTree(doomedName(path));
    const identity = await identityOf(path);
    if (identity === undefined) return;
    if ((await this.#sha256Of(path)) !== sha256 || (await identityOf(path)) !== identity) {
      logger.info({ file: path }, 'another file has taken the place of one that was kept; it stays');
      return;
    }
    await rename(path, doomedName(path));
    await removeTree(doomedName(path));
  }

  /** Undefined for what cannot be an archive that was kept. */
  async #sha256Of(path: string): Promise<string | undefined> {
    try {
      return await sha256OfArchive(path, { budgets: this.#options.budgets });
    } catch (error) {
      if (error instanceof ArchiveRefusal) return undefined;
      throw error;
    }
  }

  async #work(capture: Capture, logger: Logger, signal: AbortSignal): Promise<CaptureEvent> {
    const { state } = capture;
    try {
      if (isOnlyToBeTold(capture, this.#options.clock.now())) return { kind: 'telling-due' };
      if (state.name === 'unpacking') return await this.#keep(capture, state.archive, logger, signal);
      if (state.name === 'waiting' && state.next.name === 'unpack') {
        return { kind: 'unpacking-resumed', archive: state.next.archive };
      }
      if (state.name !== 'downloading') return await this.#beginDownload(capture);
      return await this.#download(capture, logger, signal);
    } catch (error) {
      signal.throwIfAborted();
      const trouble = this.#storageTrouble(error, capture);
      if (trouble !== undefined) return { kind: 'storage-trouble', detail: trouble.message };
      logger.error({ err: error }, 'an unexpected error; the work will be tried again');
      return { kind: 'work-failed', detail: `An unexpected error: ${redactText(errorMessage(error))}.` };
    }
  }

  /** Trouble with a disk can show at any call: wherever it does, it is no fault of ours. */
  #storageTrouble(error: unknown, { state }: Capture): ChatkeepError | undefined {
    const { backups, downloads } = this.#options;
    const place = state.name === 'unpacking' ? backups.path : downloads;
    const known = asStorageError(error, 'use', pathOf(error) ?? place);
    return known instanceof ChatkeepError && known.class === 'storage' ? known : undefined;
  }

  async #beginDownload({ origin }: Capture): Promise<CaptureEvent> {
    if (origin.kind === 'notice' && this.#options.clock.now() >= origin.deadline) {
      return { kind: 'deadline-passed' };
    }
    return { kind: 'download-started' };
  }

  async #download(capture: Capture, logger: Logger, signal: AbortSignal): Promise<CaptureEvent> {
    const { downloader, downloads, onProgress, clock } = this.#options;
    const { origin } = capture;
    if (origin.kind !== 'notice' || origin.link === undefined || capture.exportId === undefined) {
      return { kind: 'work-failed', detail: 'The capture has no link.' };
    }
    // Taken before the attempt: a login that changes during it is worth another one.
    const logins = await downloader.loginsFingerprint();
    const startedAt = clock.now();
    let isTold = false;
    const outcome = await downloader.download({
      link: origin.link,
      exportId: capture.exportId,
      deadline: origin.deadline,
      directory: downloads,
      name: capture.id,
      signal,
      onProgress: ({ received, total }) => {
        onProgress(capture.id, { phase: 'downloading', done: received, total });
        if (isTold || total === undefined) return;
        isTold = true;
        const left = formatTimeLeft(origin.deadline - clock.now());
        logger.info(
          { received, bytes: total },
          `downloading ${formatBytes(total)}; the link lives for another ${left}`,
        );
      },
    });
    switch (outcome.kind) {
      case 'whole':
        logger.info(
          { bytes: outcome.bytes },
          `downloaded ${formatBytes(outcome.bytes)} in ${formatDuration(clock.now() - startedAt)}`,
        );
        return { kind: 'downloaded', path: outcome.path };
      case 'needs-login':
        return { kind: 'login-needed', detail: outcome.detail, logins };
      case 'expired':
        return { kind: 'deadline-passed' };
      case 'interrupted':
        return {
          kind: 'download-interrupted',
          detail: outcome.detail,
          progressed: outcome.progressed,
          retryAfterMs: outcome.retryAfterMs,
        };
    }
  }

  async #keep(capture: Capture, archive: Archive, logger: Logger, signal: AbortSignal): Promise<CaptureEvent> {
    const kept = await this.#takeIn(capture, archive, logger, signal);
    if (!('meta' in kept)) return kept;
    const tookMs = this.#options.clock.now() - capture.foundAt;
    // The snapshot is safe, and others may be unpacked meanwhile.
    return committedEvent(kept, tookMs, await this.#newsOf(kept, signal));
  }

  /** Gives the snapshot, or what came in its way. */
  #takeIn(
    capture: Capture,
    archive: Archive,
    logger: Logger,
    signal: AbortSignal,
  ): Promise<SnapshotInfo | CaptureEvent> {
    return this.#options.unpacking.run(async () => {
      signal.throwIfAborted();
      const kept = await this.#options.backups.find({ capture: capture.id });
      // The process died between the commit and its record in the journal.
      if (kept?.kind === 'snapshot') return kept.snapshot;
      if (kept?.kind === 'unchanged') {
        await this.#options.stock.discard(capture.id);
        return unchangedEvent(kept);
      }
      const found = await this.#whereItIs(capture, archive);
      try {
        return await this.#unpackAndCommit(capture, found, logger, signal);
      } catch (error) {
        if (!(error instanceof ArchiveRefusal)) throw error;
        return this.#refusal(capture, found, error);
      }
    });
  }

  /** The process may have died after it put a refused archive aside: what was wrong with it is found out again there. */
  async #whereItIs(capture: Capture, archive: Archive): Promise<Archive> {
    if (archive.from === 'user' || (await exists(archive.path))) return archive;
    const path = await this.#options.backups.quarantined(quarantineName(capture));
    return path === undefined ? archive : { ...archive, path };
  }

  async #unpackAndCommit(
    capture: Capture,
    archive: Archive,
    logger: Logger,
    signal: AbortSignal,
  ): Promise<SnapshotInfo | CaptureEvent> {
    const { backups, budgets, clock, onProgress, stock } = this.#options;
    if (!(await exists(archive.path))) {
      return {
        kind: 'archive-refused',
        detail: `The archive ${archive.path} was gone before it could be taken in.`,
        damaged: true,
        kept: undefined,
      };
    }
    const inspection = await inspectArchive(archive.path, { budgets, signal });
    logger.info(
      { entries: inspection.entries.length, bytes: inspection.unpackedBytes },
      `unpacking ${count(inspection.entries.length, 'file')}, ${formatBytes(inspection.unpackedBytes)}`,
    );
    await assertRoom(backups.path, inspection.unpackedBytes, 'backup directory');
    const staging = await backups.createStaging(capture.id);
    try {
      const unpacked = await unpackArchive(inspection, {
        target: staging,
        signal,
        onProgress: (done, total) => onProgress(capture.id, { phase: 'unpacking', done, total }),
      });
      const inner = { target: staging, budgets, isInner: isInnerExport, signal };
      const { files, opened } = await openInnerArchives(inspection, unpacked, inner);
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      logger.info(
        { files: files.length, bytes },
        `unpacked and checked ${count(files.length, 'file')}, ${formatBytes(bytes)}`,
      );
      const account = capture.account ?? (await findAccount(staging, files))?.email;
      const draft = {
        capture: capture.id,
        account: account ?? UNKNOWN_ACCOUNT,
        exportId: capture.exportId,
        exportTime: capture.exportTime ?? exportTimeOf(inspection) ?? clock.now(),
        source: sourceOf(capture),
        archive: { form: inspection.form, sha256: unpacked.sha256, bytes: inspection.bytes, opened },
        files,
        describe: async () => {
          const { counts, findings } = await this.#summarize(staging, capture.id, logger, signal);
          return { counts, findings: [...(account === undefined ? [WITHOUT_ACCOUNT] : []), ...findings] };
        },
        takenAt: clock.now(),
      };
      const result = await backups.commit(draft, { signal });
      if (result.kind === 'committed') return result.snapshot;
      await stock.discard(capture.id);
      return result.kind === 'unchanged'
        ? unchangedEvent(result)
        : { kind: 'already-kept', of: result.of.id, sha256: unpacked.sha256 };
    } finally {
      await backups.discardStaging(capture.id);
    }
  }

  /** Never fails the backup: whatever is in the export, its bytes are what matters. */
  async #summarize(directory: string, capture: string, logger: Logger, signal: AbortSignal): Promise<ExportSummary> {
    try {
      return await this.#options.stock.summarize(directory, capture, signal);
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ err: error }, 'what is in the export could not be counted; it is kept all the same');
      return { counts: {}, findings: [NOT_SUMMED_UP] };
    }
  }

  /** Exports that do not say whose they are may be of several people: they are not compared. */
  async #newsOf(snapshot: SnapshotInfo, signal: AbortSignal): Promise<SnapshotNews | undefined> {
    return snapshot.account === UNKNOWN_ACCOUNT ? undefined : this.#options.stock.newsOf(snapshot, signal);
  }

  /** A refused archive is never deleted: ours goes into quarantine, a person's stays where it is. */
  async #refusal(capture: Capture, archive: Archive, refusal: ArchiveRefusal): Promise<CaptureEvent> {
    const kept =
      archive.from === 'download'
        ? await this.#options.backups.quarantine(archive.path, quarantineName(capture))
        : archive.path;
    return { kind: 'archive-refused', detail: refusal.message, damaged: DAMAGE.has(refusal.reason), kept };
  }

  async #apply(capture: Capture, event: CaptureEvent, logger: Logger): Promise<Capture> {
    const { recorder, clock, random, settings } = this.#options;
    const next = step(capture, event, { now: clock.now(), random, settings });
    await recorder.record({ captures: [next.capture], messages: next.messages });
    this.#tell(logger, capture, next.capture, event);
    return next.capture;
  }

  /** One line a step: a capture reads as a short story. */
  #tell(logger: Logger, before: Capture, { id, state }: Capture, event: CaptureEvent): void {
    const now = this.#options.clock.now();
    if (event.kind === 'downloaded' || (event.kind === 'download-interrupted' && event.progressed)) {
      this.#loggedReasons.delete(id);
    }
    switch (state.name) {
      case 'downloading':
        if (before.state.name === 'needs-login' && now < before.state.until) {
          logger.info('a login has changed; the export is asked for again');
        }
        logger.debug(state.attempt > 1 ? `asking for the export, attempt ${state.attempt}` : 'asking for the export');
        break;
      case 'waiting':
        logger[this.#levelOf(id, state.reason)](
          { until: new Date(state.until) },
          `${state.reason} Next try in ${formatDuration(state.until - now)}.`,
        );
        break;
      case 'needs-login':
        logger[this.#levelOf(id, state.reason)](
          { until: new Date(state.until) },
          `a login is needed: ${state.reason} It is tried again as soon as a login changes.`,
        );
        break;
      case 'committed':
        logger.info({ snapshot: state.snapshot }, `committed as ${state.snapshot}${newsOf(event)}`);
        break;
      case 'duplicate':
        logger.info({ snapshot: state.of }, `kept before as ${state.of}`);
        break;
      case 'unchanged':
        logger.info({ snapshot: state.since }, `nothing has changed since ${state.since}`);
        break;
      case 'refused':
        logger.error({ kept: state.kept }, `refused: ${state.reason}`);
        break;
      case 'expired':
        logger.error('the link has died before the export could be fetched');
        break;
      case 'found':
      case 'unpacking':
        break;
    }
    if ('at' in state) this.#loggedReasons.delete(id);
  }

  #levelOf(captureId: string, reason: string): 'warn' | 'debug' {
    const isKnown = this.#loggedReasons.get(captureId) === reason;
    this.#loggedReasons.set(captureId, reason);
    return isKnown ? 'debug' : 'warn';
  }
}

function unchangedEvent({ meta, snapshot }: UnchangedExport): CaptureEvent {
  return {
    kind: 'found-unchanged',
    sha256: meta.archive.sha256,
    facts: {
      snapshot: snapshot.id,
      since: snapshot.meta.exportTime,
      account: snapshot.account,
      exportTime: meta.exportTime,
      files: snapshot.meta.files,
      bytes: snapshot.meta.bytes,
      counts: snapshot.meta.counts,
    },
  };
}

/** A name for the archive that is refused next: the same before and after a crash, and another one for each archive. */
function quarantineName({ id, damagedArchives }: Capture): string {
  return damagedArchives === 0 ? id : `${id}-${damagedArchives + 1}`;
}

/** Hidden, and gone from its place in one step: half of a folder must not be taken for an export. */
function doomedName(path: string): string {
  return join(dirname(path), `.${basename(path)}.deleted-by-chatkeep`);
}

/** Which file lies at `path`, and in which state; undefined if none does. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function newsOf(event: CaptureEvent): string {
  return event.kind === 'committed' && event.facts.news !== undefined ? `: ${newsLine(event.facts.news)}` : '';
}

function committedEvent(snapshot: SnapshotInfo, tookMs: number, news: SnapshotNews | undefined): CaptureEvent {
  const { account, id, meta } = snapshot;
  return {
    kind: 'committed',
    snapshot: id,
    sha256: meta.archive.sha256,
    facts: {
      account,
      exportTime: meta.exportTime,
      files: meta.files,
      bytes: meta.bytes,
      archiveBytes: meta.archive.bytes,
      unchangedFiles: meta.linkedFiles,
      counts: meta.counts,
      tookMs,
      news,
    },
  };
}

function sourceOf({ origin }: Capture): SnapshotSource {
  return origin.kind === 'notice'
    ? { kind: 'notice', mailbox: origin.mailbox, messageId: origin.messageId, receivedAt: origin.receivedAt }
    : { kind: 'file', name: origin.name };
}
