import { type ArchiveBudgets, inspectArchive } from '../archive/index.ts';
import { exportTimeOf } from '../chatgpt/index.ts';
import { type Clock, MINUTE_MS } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { Mutex } from '../lib/mutex.ts';
import { formatMoment, formatTimeLeft } from '../lib/text.ts';
import type { RawMessage } from '../mailbox/index.ts';
import {
  type Notice,
  parseExportName,
  type ReadyNotice,
  type RefusedNotice,
  type StartedNotice,
  type UndecidedNotice,
} from '../notice/index.ts';
import type { BackupDirectory } from '../snapshot/index.ts';
import { type Archive, archiveOf, type Capture, hasEnded, lacksArchive, newCaptureId } from './capture.ts';
import type { HandIn, Journal, JournalEntry, MessageRecord } from './journal.ts';
import * as messages from './messages.ts';
import type { Recorder } from './recorder.ts';
import { type CaptureSettings, type StepContext, step } from './transitions.ts';
import type { Watchdog } from './watchdog.ts';

export interface IntakeOptions {
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly backups: BackupDirectory;
  /** Told which exports were asked for, and which have come. */
  readonly watchdog: Pick<Watchdog, 'take'>;
  /** What a message of a mailbox turns out to be. */
  readonly readMessage: (message: RawMessage) => Promise<Notice>;
  /** The directory that the configuration asks for, for exports of a mailbox. */
  readonly accountOf: (mailbox: string) => string | undefined;
  readonly budgets: ArchiveBudgets;
  readonly settings: CaptureSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Stops what is being done for a capture, and lets nothing begin for it until `meanwhile` has ended. */
  readonly interrupt: <T>(captureId: string, meanwhile: () => Promise<T>) => Promise<T>;
}

/** A file that is handed in, and the key under which the drop folder knows it. */
export interface FileToTake extends HandIn {
  readonly key?: string;
  readonly handInId?: number;
}

/** That a message was seen, and what is awaited because of it. */
type Seen = Required<Pick<JournalEntry, 'message' | 'awaited'>>;

/** The stamp of an export is in whole seconds, ZIP times in even ones (APPNOTE section 4.4.6). */
const STAMP_TOLERANCE_MS = 2_000;

/** A DNS server that restarts is back by then. */
const TELL_UNDECIDED_AFTER_MS = 10 * MINUTE_MS;

/** Turns what comes in, by mail or by hand, into captures. */
export class Intake {
  readonly #options: IntakeOptions;
  /** Messages that cannot be judged yet. Kept in memory: after a restart, the ten minutes begin anew. */
  readonly #undecided = new Map<string, { since: number; told: boolean }>();
  /** What is known is looked up before it is recorded: one at a time, or the same export becomes two captures. */
  readonly #recording = new Mutex();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Reads a message and records what follows from it in one transaction with that it was seen.
   * @throws if the message cannot be judged yet; it is to be handed in again
   */
  async takeMessage(message: RawMessage): Promise<void> {
    const notice = await this.#options.readMessage(message);
    const { recorder, logger } = this.#options;
    const seen = (outcome: MessageRecord['outcome']): MessageRecord => ({
      mailbox: message.mailbox,
      folder: message.folder,
      uidValidity: message.uidValidity,
      uid: message.uid,
      messageId: message.messageId,
      outcome,
      at: this.#options.clock.now(),
    });
    switch (notice.kind) {
      case 'ready':
        return this.#recording.run(() =>
          this.#answering(message, notice.provider, (awaited) =>
            this.#takeReady(message, notice, { message: seen('ready'), awaited }),
          ),
        );
      case 'refused':
        return this.#answering(message, notice.provider, (awaited) =>
          this.#takeRefused(message, notice, { message: seen('refused'), awaited }),
        );
      case 'started':
        return this.#takeStarted(message, notice, seen('started'));
      case 'unrelated':
        logger.debug({ mailbox: message.mailbox, why: notice.why }, 'a message that is not about an export');
        return recorder.record({ message: seen('unrelated') });
      case 'undecided':
        await this.#tellUndecided(message, notice);
        throw new Error(notice.detail);
    }
  }

  /** That a provider has written of a ready export answers what was asked for before, whatever becomes of its link. */
  async #answering(
    { mailbox, receivedAt }: RawMessage,
    provider: string | undefined,
    record: (awaited: Seen['awaited']) => Promise<void>,
  ): Promise<void> {
    if (provider === undefined) return record(undefined);
    const event = { kind: 'came', at: this.#past(receivedAt) } as const;
    await this.#options.watchdog.take(mailbox, provider, event, ({ awaited }) => record(awaited));
  }

  async #takeStarted(message: RawMessage, { provider }: StartedNotice, seen: MessageRecord): Promise<void> {
    const { journal, recorder, watchdog, logger } = this.#options;
    const { mailbox, messageId, receivedAt } = message;
    // It may lie in several folders.
    const known = messageId !== undefined && (await journal.knowsMessage(messageId, 'started'));
    if (known) return recorder.record({ message: seen });
    logger.info({ mailbox }, 'an export has been asked for; the email with its link is yet to come');
    const event = { kind: 'asked', at: this.#past(receivedAt) } as const;
    await watchdog.take(mailbox, provider, event, (change) => recorder.record({ message: seen, ...change }));
  }

  /** A server's clock that is ahead must not answer what is asked for later. */
  #past(time: number): number {
    return Math.min(time, this.#options.clock.now());
  }

  /** A proof that cannot be had for minutes is most often one that will not come by itself: a container without DNS. */
  async #tellUndecided(message: RawMessage, { detail, until }: UndecidedNotice): Promise<void> {
    const now = this.#options.clock.now();
    const key = `${message.mailbox} ${message.folder} ${message.uidValidity} ${message.uid}`;
    const first = this.#undecided.get(key) ?? { since: now, told: false };
    const isTime = !first.told && now - first.since >= TELL_UNDECIDED_AFTER_MS;
    this.#undecided.set(key, { since: first.since, told: first.told || isTime });
    if (isTime) {
      await this.#options.recorder.record({
        messages: [messages.noticeUndecided(message.mailbox, detail, until, now)],
      });
    }
  }

  /**
   * Takes an archive on disk in: it completes the capture that waits for this very export, if there is one, else it
   * becomes a capture of its own. A file that is being taken in already goes on as what it is, and at once. Gives the
   * capture's id.
   */
  takeFile(file: FileToTake): Promise<string> {
    return this.#recording.run(async () => {
      const taken = (await this.#options.journal.openCaptures()).find(
        (capture) => handedIn(capture)?.path === file.path,
      );
      if (taken !== undefined) return this.#takeAgain(taken, file);
      const waiting = await this.#waitingFor(file);
      const completed = waiting === undefined ? undefined : await this.#complete(waiting, file);
      return completed ?? (await this.#takeAsCapture(file));
    });
  }

  /** The drop folder and a person may name the same file. Who wants to keep it, keeps it. */
  async #takeAgain(taken: Capture, file: FileToTake): Promise<string> {
    const { journal, recorder, logger } = this.#options;
    const record = fileRecord(file, taken.id);
    logger.info({ capture: taken.id, file: file.name }, 'this file is being taken in already');
    const isToBeKept = file.afterwards === 'keep' && handedIn(taken)?.afterwards === 'delete';
    if (taken.state.name === 'unpacking' && !isToBeKept) {
      await recorder.record(record);
      return taken.id;
    }
    return this.#options.interrupt(taken.id, async () => {
      const current = await journal.capture(taken.id);
      const archive = current === undefined ? undefined : handedIn(current);
      const captures =
        current === undefined || archive === undefined ? [] : [unpackingAgain(current, archive, file.afterwards)];
      await recorder.record({ ...record, captures });
      return taken.id;
    });
  }

  /** Gives the waiting capture the archive, and its id; undefined if it does not wait any more. */
  #complete(waiting: Capture, file: FileToTake): Promise<string | undefined> {
    const { journal, recorder, logger } = this.#options;
    return this.#options.interrupt(waiting.id, async () => {
      const current = await journal.capture(waiting.id);
      if (current === undefined || !lacksArchive(current)) return undefined;
      const next = step(current, { kind: 'archive-arrived', archive: archiveOfFile(file) }, this.#context());
      logger.info({ capture: current.id, file: file.name }, 'the archive of this export was handed in');
      await recorder.record({ ...fileRecord(file, current.id), captures: [next.capture] });
      return current.id;
    });
  }

  async #takeAsCapture(file: FileToTake): Promise<string> {
    const { journal, recorder, clock, logger } = this.#options;
    const named = exportNamed(file.name);
    const isBeingCaptured = named !== undefined && (await journal.capturesOfExport(named.exportId)).some(isOpen);
    const capture: Capture = {
      id: newCaptureId(),
      // An export has one open capture. This file waits in line, and turns out to be a duplicate, or unsound.
      exportId: isBeingCaptured ? undefined : named?.exportId,
      origin: { kind: 'file', name: file.name },
      exportTime: named?.exportTime,
      account: file.account,
      foundAt: clock.now(),
      damagedArchives: 0,
      waitedMs: 0,
      trouble: undefined,
      told: {},
      state: { name: 'unpacking', archive: archiveOfFile(file), attempt: 0 },
    };
    logger.info({ capture: capture.id, file: file.name }, `taking in ${file.name}`);
    await recorder.record({ ...fileRecord(file, capture.id), captures: [capture] });
    return capture.id;
  }

  async #takeReady(message: RawMessage, notice: ReadyNotice, seen: Seen): Promise<void> {
    const { journal, recorder, backups, logger, clock } = this.#options;
    const captures = await journal.capturesOfExport(notice.exportId);
    if (captures.some((capture) => isOpen(capture) && capture.origin.kind === 'file')) {
      throw new Error('A file of this export is being taken in; whether the link is needed is seen afterwards.');
    }
    // A file that was refused leaves the export to be had by its link.
    const known = captures.find(({ origin, state }) => origin.kind === 'notice' || state.name !== 'refused');
    const kept = known === undefined ? await backups.find({ exportId: notice.exportId }) : undefined;
    if (known !== undefined || kept !== undefined) {
      const what = kept === undefined ? { capture: known?.id } : { snapshot: kept.snapshot.id };
      logger.info({ mailbox: message.mailbox, ...what }, 'another message about an export that is known already');
      return recorder.record(seen);
    }
    const capture: Capture = {
      id: newCaptureId(),
      exportId: notice.exportId,
      origin: {
        kind: 'notice',
        provider: notice.provider,
        mailbox: message.mailbox,
        messageId: message.messageId,
        receivedAt: message.receivedAt,
        proof: notice.proof,
        deadline: notice.deadline,
        link: notice.link,
      },
      exportTime: notice.exportTime,
      account: this.#options.accountOf(message.mailbox),
      foundAt: clock.now(),
      damagedArchives: 0,
      waitedMs: 0,
      trouble: undefined,
      told: {},
      state: { name: 'found' },
    };
    logger.info(
      { capture: capture.id, mailbox: message.mailbox, proof: notice.proof, deadline: new Date(notice.deadline) },
      foundLine(capture.exportTime, message.mailbox, notice.deadline - clock.now()),
    );
    if (notice.warning !== undefined) logger.warn({ capture: capture.id }, notice.warning);
    await recorder.record({ ...seen, captures: [capture] });
  }

  async #takeRefused(message: RawMessage, { detail }: RefusedNotice, seen: Seen): Promise<void> {
    const { journal, recorder, logger, clock } = this.#options;
    const { messageId } = message;
    const told = messageId !== undefined && (await journal.knowsMessage(messageId, 'refused'));
    logger.warn({ mailbox: message.mailbox, folder: message.folder }, `a message was not believed: ${detail}`);
    await recorder.record({
      ...seen,
      messages: told ? [] : [messages.noticeRefused(message.mailbox, detail, message.receivedAt, clock.now())],
    });
  }

  /** The open capture whose archive this is: by the export's id, or by its stamp where the file was renamed. */
  async #waitingFor({ path, name }: FileToTake): Promise<Capture | undefined> {
    const exportId = exportNamed(name)?.exportId;
    const candidates = (await this.#options.journal.openCaptures()).filter(lacksArchive);
    if (candidates.length === 0) return undefined;
    const stamp = await this.#stampOf(path);
    // An archive that cannot even be looked into completes nothing; the capture goes on waiting for a sound one.
    if (stamp === 'unsound') return undefined;
    if (exportId !== undefined) return candidates.find((capture) => capture.exportId === exportId);
    if (stamp === undefined) return undefined;
    const ofThisTime = candidates.filter(
      ({ exportTime }) => exportTime !== undefined && Math.abs(exportTime - stamp) <= STAMP_TOLERANCE_MS,
    );
    // With the wrong archive, a capture would never fetch its own: in doubt the file is a capture of its own.
    return ofThisTime.length === 1 ? ofThisTime[0] : undefined;
  }

  async #stampOf(path: string): Promise<number | undefined | 'unsound'> {
    try {
      return exportTimeOf(await inspectArchive(path, { budgets: this.#options.budgets }));
    } catch {
      return 'unsound';
    }
  }

  #context(): StepContext {
    const { clock, random, settings } = this.#options;
    return { now: clock.now(), random, settings };
  }
}

function foundLine(exportTime: number | undefined, mailbox: string, leftMs: number): string {
  const which = exportTime === undefined ? 'an export' : `the export of ${formatMoment(exportTime)}`;
  return `${which} is ready, by a mail in ${mailbox}; its link lives for another ${formatTimeLeft(leftMs)}`;
}

function isOpen(capture: Capture): boolean {
  return !hasEnded(capture);
}

/** The export that a ZIP's name tells of, or that of the folder which a ZIP was unpacked into. */
function exportNamed(name: string): ReturnType<typeof parseExportName> {
  return parseExportName(name) ?? parseExportName(`${name}.zip`);
}

function archiveOfFile({ path, afterwards }: FileToTake): Archive {
  return { path, afterwards, from: 'user' };
}

/** The archive that somebody has handed in and that an open capture is to unpack. */
function handedIn(capture: Capture): Archive | undefined {
  const archive = archiveOf(capture);
  return archive?.from === 'user' ? archive : undefined;
}

/** The capture, to be worked on at once; its archive is deleted afterwards only if nobody has asked to keep it. */
function unpackingAgain(capture: Capture, archive: Archive, wanted: Archive['afterwards']): Capture {
  const attempt = 'attempt' in capture.state ? capture.state.attempt : 0;
  const afterwards = wanted === 'keep' ? 'keep' : archive.afterwards;
  return { ...capture, state: { name: 'unpacking', archive: { ...archive, afterwards }, attempt } };
}

/** That a file was taken in, and as which capture. */
function fileRecord({ key, handInId }: FileToTake, capture: string): Pick<JournalEntry, 'fileKey' | 'accepted'> {
  return {
    ...(key === undefined ? {} : { fileKey: key }),
    ...(handInId === undefined ? {} : { accepted: { handIn: handInId, capture } }),
  };
}
