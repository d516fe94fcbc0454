import { type BackoffLimits, backoffMs } from '../lib/backoff.ts';
import { HOUR_MS, MINUTE_MS, type Random, SECOND_MS } from '../lib/clock.ts';
import type { Message } from '../notify/index.ts';
import {
  type Archive,
  archiveOf,
  type Capture,
  type CaptureState,
  deadlineOf,
  hasEnded,
  type Leftover,
  lacksArchive,
  type OpenState,
  type Trouble,
} from './capture.ts';
import * as messages from './messages.ts';

/** What happened to a capture. */
export type CaptureEvent =
  | { readonly kind: 'download-started' }
  | { readonly kind: 'downloaded'; readonly path: string }
  | {
      readonly kind: 'download-interrupted';
      /** A sentence without secrets. */
      readonly detail: string;
      /** Whether this attempt brought bytes that are kept. */
      readonly progressed: boolean;
      /** How long the server asked to be left alone, ms. */
      readonly retryAfterMs?: number | undefined;
    }
  | { readonly kind: 'login-needed'; readonly detail: string; readonly logins: string }
  | { readonly kind: 'telling-due' }
  | { readonly kind: 'deadline-passed' }
  | { readonly kind: 'archive-arrived'; readonly archive: Archive }
  | { readonly kind: 'unpacking-resumed'; readonly archive: Archive }
  | {
      readonly kind: 'committed';
      readonly snapshot: string;
      /** The archive's; 64 hex digits. */
      readonly sha256: string;
      readonly facts: messages.SnapshotFacts;
    }
  | { readonly kind: 'already-kept'; readonly of: string; readonly sha256: string }
  | { readonly kind: 'found-unchanged'; readonly sha256: string; readonly facts: messages.UnchangedFacts }
  | {
      readonly kind: 'archive-refused';
      /** A sentence that names the entry, without secrets. */
      readonly detail: string;
      /** Cut off or corrupt, so that a fresh download may be whole; else unsafe. */
      readonly damaged: boolean;
      /** Where the archive is kept; undefined where it was gone before it could be read. */
      readonly kept: string | undefined;
    }
  | { readonly kind: 'storage-trouble'; readonly detail: string }
  | { readonly kind: 'work-failed'; readonly detail: string };

export interface StepContext {
  /** ms UTC */
  readonly now: number;
  readonly random: Random;
  readonly settings: CaptureSettings;
}

/** What the configuration says about captures. */
export interface CaptureSettings extends messages.WaysOut {
  /** How many hours before the deadline people are reminded of an export that still cannot be fetched. */
  readonly remindHoursLeft: readonly number[];
}

/** The capture after the event, and what people are told of it. Both are recorded in one transaction. */
export interface Step {
  readonly capture: Capture;
  readonly messages: readonly Message[];
}

/** Short at first, since most cuts are momentary; ten minutes keep a dead server from being hammered for a day. */
const DOWNLOAD_BACKOFF: BackoffLimits = { firstMs: 2 * SECOND_MS, mostMs: 10 * MINUTE_MS };
/** Room may be made at any time, and looking costs nothing. */
const STORAGE_BACKOFF: BackoffLimits = { firstMs: 4 * SECOND_MS, mostMs: 5 * MINUTE_MS };
const FAILURE_BACKOFF: BackoffLimits = { firstMs: 10 * SECOND_MS, mostMs: 30 * MINUTE_MS };
/** A changed login is noticed at once; this is for the one whose change cannot be seen (a workspace setting, say). */
const LOGIN_RETRY_MS = 15 * MINUTE_MS;
/** The last attempt comes this long before the deadline. */
const LAST_ATTEMPT_BEFORE_DEADLINE_MS = MINUTE_MS;
/** A server that hands out a broken archive this often does not have a whole one. */
const MOST_DAMAGED_ARCHIVES = 3;
/** A cut is news only when it keeps happening. */
const ATTEMPTS_BEFORE_TELLING = 4;
/** A login (or a disk) that comes and goes is not told of each time. */
const TOLD_AGAIN_AFTER_MS = HOUR_MS;
/** Who has just been told needs no reminder. */
const NO_REMINDER_WITHIN_MS = 10 * MINUTE_MS;

/**
 * The state machine: pure, total, and the only place where a capture's state changes. An event that does not fit the
 * state (the capture has ended in the meantime, say) changes nothing and tells nothing.
 */
export function step(capture: Capture, event: CaptureEvent, context: StepContext): Step {
  if (!fits(event, capture)) return { capture, messages: [] };
  switch (event.kind) {
    case 'download-started':
      return to(waited(capture, context), { name: 'downloading', attempt: attemptOf(capture.state) + 1 });
    case 'downloaded':
      return to(recovered(capture), {
        name: 'unpacking',
        archive: { path: event.path, afterwards: 'delete', from: 'download' },
        attempt: 0,
      });
    case 'download-interrupted':
      return interrupted(capture, event, context);
    case 'login-needed':
      return loginNeeded(capture, event, context);
    case 'telling-due':
      return capture.trouble === undefined ? to(capture) : tellIfDue(capture, capture.trouble, context);
    case 'deadline-passed':
      return end(
        capture,
        { name: 'expired', at: context.now },
        messages.expired(capture, context.settings, context.now),
      );
    case 'archive-arrived':
      return to(recovered(waited(capture, context)), { name: 'unpacking', archive: event.archive, attempt: 0 });
    case 'unpacking-resumed':
      return to(waited(capture, context), {
        name: 'unpacking',
        archive: event.archive,
        attempt: attemptOf(capture.state),
      });
    case 'committed':
      return end(
        capture,
        { name: 'committed', at: context.now, snapshot: event.snapshot, leftover: leftoverOf(capture, event.sha256) },
        messages.committed(capture, event.snapshot, event.facts, context.now),
      );
    case 'already-kept':
      return end(
        capture,
        { name: 'duplicate', at: context.now, of: event.of, leftover: leftoverOf(capture, event.sha256) },
        messages.duplicate(capture, event.of, context.now),
      );
    case 'found-unchanged':
      return end(
        capture,
        {
          name: 'unchanged',
          at: context.now,
          since: event.facts.snapshot,
          leftover: leftoverOf(capture, event.sha256),
        },
        messages.unchanged(capture, event.facts, context.now),
      );
    case 'archive-refused':
      return archiveRefused(capture, event, context);
    case 'storage-trouble':
      return pause(capture, 'storage', STORAGE_BACKOFF, event.detail, context);
    case 'work-failed':
      return pause(capture, 'failure', FAILURE_BACKOFF, event.detail, context);
  }
}

function fits(event: CaptureEvent, capture: Capture): boolean {
  const { state, origin } = capture;
  switch (event.kind) {
    case 'download-started':
      return origin.kind === 'notice' && lacksArchive(capture);
    case 'deadline-passed':
    case 'archive-arrived':
      return lacksArchive(capture);
    case 'downloaded':
    case 'download-interrupted':
    case 'login-needed':
      return state.name === 'downloading';
    case 'unpacking-resumed':
      return state.name === 'waiting' && state.next.name === 'unpack';
    case 'telling-due':
      return state.name === 'waiting' || state.name === 'needs-login';
    case 'committed':
    case 'already-kept':
    case 'found-unchanged':
    case 'archive-refused':
      return state.name === 'unpacking';
    case 'storage-trouble':
    case 'work-failed':
      return !hasEnded(capture);
  }
}

function interrupted(
  capture: Capture,
  event: Extract<CaptureEvent, { kind: 'download-interrupted' }>,
  context: StepContext,
): Step {
  const attempt = event.progressed ? 1 : Math.max(1, attemptOf(capture.state));
  const wait = Math.max(event.retryAfterMs ?? 0, backoffMs(attempt, DOWNLOAD_BACKOFF, context.random));
  const until = beforeDeadline(capture, context.now + wait, context.now);
  const state: OpenState = { name: 'waiting', until, attempt, reason: event.detail, next: { name: 'download' } };
  // Who gets bytes was let in, and has room for them.
  const soFar = event.progressed ? recovered(capture) : capture;
  if (attempt < ATTEMPTS_BEFORE_TELLING) {
    // A reminder of what it waited for before may have come due meanwhile.
    return soFar.trouble === undefined ? to(soFar, state) : tellIfDue({ ...soFar, state }, soFar.trouble, context);
  }
  return troubled(soFar, { kind: 'download', detail: event.detail, attempts: attempt }, state, context);
}

function loginNeeded(
  capture: Capture,
  event: Extract<CaptureEvent, { kind: 'login-needed' }>,
  context: StepContext,
): Step {
  const state: OpenState = {
    name: 'needs-login',
    since: capture.trouble?.kind === 'login' ? capture.trouble.since : context.now,
    until: beforeDeadline(capture, context.now + LOGIN_RETRY_MS, context.now),
    // Asking for the login is no attempt at the download.
    attempt: 0,
    reason: event.detail,
    logins: event.logins,
  };
  return troubled(capture, { kind: 'login', detail: event.detail, attempts: 1 }, state, context);
}

function archiveRefused(
  capture: Capture,
  event: Extract<CaptureEvent, { kind: 'archive-refused' }>,
  context: StepContext,
): Step {
  const { state, origin } = capture;
  const handedIn = state.name === 'unpacking' && state.archive.from === 'user';
  const damagedArchives = capture.damagedArchives + (event.damaged && !handedIn ? 1 : 0);
  const counted = { ...recovered(capture), damagedArchives };
  const canFetchAgain =
    origin.kind === 'notice' &&
    origin.deadline > context.now &&
    (handedIn || (event.damaged && damagedArchives < MOST_DAMAGED_ARCHIVES));
  if (!canFetchAgain) {
    return end(
      counted,
      { name: 'refused', at: context.now, reason: event.detail, kept: event.kept },
      messages.archiveRefused(capture, event.detail, event.kept, undefined, context.now),
    );
  }
  const wait = backoffMs(Math.max(1, damagedArchives), FAILURE_BACKOFF, context.random);
  const until = beforeDeadline(capture, context.now + wait, context.now);
  return {
    capture: {
      ...counted,
      state: { name: 'waiting', until, attempt: 0, reason: event.detail, next: { name: 'download' } },
    },
    messages: [messages.archiveRefused(capture, event.detail, event.kept, until, context.now)],
  };
}

/** Goes on with the same work later. */
function pause(
  capture: Capture,
  kind: 'storage' | 'failure',
  limits: BackoffLimits,
  detail: string,
  context: StepContext,
): Step {
  const attempt =
    capture.state.name === 'unpacking' ? capture.state.attempt + 1 : Math.max(1, attemptOf(capture.state));
  const wait = backoffMs(attempt, limits, context.random);
  const archive = archiveOf(capture);
  const state: OpenState = {
    name: 'waiting',
    until: archive === undefined ? beforeDeadline(capture, context.now + wait, context.now) : context.now + wait,
    attempt,
    reason: detail,
    next: archive === undefined ? { name: 'download' } : { name: 'unpack', archive },
  };
  return troubled(capture, { kind, detail, attempts: 1 }, state, context);
}

/**
 * Changes the state, and tells of the trouble if it is time.
 * @param first the trouble if it is not known yet; else only its kind and detail count
 */
function troubled(
  capture: Capture,
  first: Pick<Trouble, 'kind' | 'detail' | 'attempts'>,
  state: OpenState,
  context: StepContext,
): Step {
  const known = capture.trouble?.kind === first.kind ? capture.trouble : undefined;
  const trouble: Trouble = {
    kind: first.kind,
    since: known?.since ?? context.now,
    attempts: known === undefined ? first.attempts : known.attempts + 1,
    lastAt: context.now,
    detail: first.detail,
    tellAt: undefined,
  };
  return tellIfDue({ ...capture, state }, trouble, context);
}

/** Tells of the trouble if it is time, and notes when it is time again. */
function tellIfDue(capture: Capture, trouble: Trouble, context: StepContext): Step {
  const { now } = context;
  const tellAt = tellingTime(capture, trouble, context);
  if (tellAt === undefined || tellAt > now) {
    return { capture: { ...capture, trouble: { ...trouble, tellAt } }, messages: [] };
  }
  const told: Capture = { ...capture, told: { ...capture.told, [trouble.kind]: now } };
  const next: Trouble = { ...trouble, tellAt: tellingTime(told, trouble, context) };
  return { capture: { ...told, trouble: next }, messages: [troubleMessage(told, next, context)] };
}

/** At once when it is new, then at the hours that are set; one that comes back, an hour after the last word at the soonest. */
function tellingTime(capture: Capture, { kind, since }: Trouble, context: StepContext): number | undefined {
  const lastTold = capture.told[kind];
  if (lastTold === undefined) return since;
  const reminder = nextReminder(capture, lastTold, context.settings);
  return lastTold >= since ? reminder : Math.min(lastTold + TOLD_AGAIN_AFTER_MS, reminder ?? Number.POSITIVE_INFINITY);
}

/** An archive that is on disk has no deadline, and nobody is hurried. */
function nextReminder(capture: Capture, lastTold: number, { remindHoursLeft }: CaptureSettings): number | undefined {
  const deadline = lacksArchive(capture) ? deadlineOf(capture) : undefined;
  if (deadline === undefined) return undefined;
  const toCome = remindHoursLeft
    .map((hours) => deadline - hours * HOUR_MS)
    .filter((at) => at >= lastTold + NO_REMINDER_WITHIN_MS);
  return toCome.length === 0 ? undefined : Math.min(...toCome);
}

function troubleMessage(capture: Capture, trouble: Trouble, { settings, now }: StepContext): Message {
  switch (trouble.kind) {
    case 'login':
      return messages.needsLogin(capture, trouble, settings, now);
    case 'download':
      return messages.downloadTrouble(capture, trouble, settings, now);
    case 'storage':
    case 'failure':
      return messages.workTrouble(capture, { ...trouble, kind: trouble.kind }, settings, now);
  }
}

function to(capture: Capture, state: CaptureState = capture.state): Step {
  return { capture: { ...capture, state }, messages: [] };
}

function end(capture: Capture, state: CaptureState, message: Message | undefined): Step {
  const origin = capture.origin.kind === 'notice' ? { ...capture.origin, link: undefined } : capture.origin;
  return {
    capture: { ...capture, origin, trouble: undefined, state },
    messages: message === undefined ? [] : [message],
  };
}

/** Counts the time since the last attempt, if it was one of waiting for a person: somebody has to sign in, or to make room. */
function waited(capture: Capture, { now }: StepContext): Capture {
  const { state, trouble, waitedMs } = capture;
  const isForPerson = trouble?.kind === 'login' || trouble?.kind === 'storage';
  if (!isForPerson || (state.name !== 'needs-login' && state.name !== 'waiting')) return capture;
  return { ...capture, waitedMs: waitedMs + Math.max(0, now - trouble.lastAt) };
}

function recovered(capture: Capture): Capture {
  return { ...capture, trouble: undefined };
}

function attemptOf(state: CaptureState): number {
  return 'attempt' in state ? state.attempt : 0;
}

function leftoverOf(capture: Capture, sha256: string): Leftover | undefined {
  const archive = archiveOf(capture);
  return archive?.afterwards === 'delete' ? { path: archive.path, sha256 } : undefined;
}

/** No later than the last sensible attempt, and never in the past. */
function beforeDeadline(capture: Capture, wanted: number, now: number): number {
  const deadline = deadlineOf(capture);
  if (deadline === undefined) return wanted;
  const last = deadline - LAST_ATTEMPT_BEFORE_DEADLINE_MS;
  return now < last ? Math.min(wanted, last) : Math.max(now, Math.min(wanted, deadline));
}
