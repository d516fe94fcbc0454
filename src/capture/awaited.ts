import { MINUTE_MS } from '../lib/clock.ts';
import type { Message } from '../notify/index.ts';
import * as messages from './messages.ts';

/**
 * Exports that were asked for and have not come. OpenAI says so in a first email (a *started* notice), and sometimes
 * never sends the second one (shared facts: "The export-ready email and its link"). It is plain data, kept by the journal.
 */
export interface Awaited {
  /** The mailbox's name. */
  readonly mailbox: string;
  readonly provider: string;
  /** When the last export came, ms UTC: what was asked for before is answered. */
  readonly cameAt: number | undefined;
  /** Those without an answer, oldest first. */
  readonly requests: readonly ExportRequest[];
}

/** That an export was asked for, known by its started notice. Times in ms UTC. */
export interface ExportRequest {
  /** When the notice reached the mailbox. */
  readonly askedAt: number;
  /** When the notice was first seen. */
  readonly seenAt: number;
  /** When people were last told that nothing has come. */
  readonly remindedAt: number | undefined;
}

/** What happened. */
export type AwaitedEvent =
  | {
      readonly kind: 'asked';
      /** ms UTC */
      readonly at: number;
    }
  | {
      readonly kind: 'came';
      /** When the notice that the export is ready reached the mailbox, or when the archive was made, ms UTC. */
      readonly at: number;
    }
  | ({ readonly kind: 'searched' } & Search);

/** A search through every folder of a mailbox that is watched. */
export interface Search {
  /** All that had reached them by then was read, ms UTC. */
  readonly at: number;
  readonly folders: readonly string[];
}

export interface AwaitedContext {
  /** ms UTC */
  readonly now: number;
  /** How long after a request people are told that nothing has come, ms, ascending; where there are none, never. */
  readonly reminders: readonly number[];
}

/** What is awaited after the event, and what people are told. Both are recorded in one transaction. */
export interface AwaitedStep {
  readonly awaited: Awaited;
  readonly messages: readonly Message[];
}

/** Two emails that are sent minutes apart may overtake each other on their way. */
const OVERTAKING_MS = 10 * MINUTE_MS;
/** So many that nobody asks for them; whoever sends more makes no work by it. */
const MOST_REQUESTS = 20;

/** Where nothing was ever asked for. */
export function nothingAwaited(mailbox: string, provider: string): Awaited {
  return { mailbox, provider, cameAt: undefined, requests: [] };
}

/**
 * The state machine: pure and total. In whatever order the notices of a mailbox are read, the outcome is the same. An
 * event that changes nothing gives the same object back.
 */
export function stepAwaited(awaited: Awaited, event: AwaitedEvent, context: AwaitedContext): AwaitedStep {
  switch (event.kind) {
    case 'asked':
      return { awaited: asked(awaited, event.at, context), messages: [] };
    case 'came':
      return { awaited: came(awaited, event.at), messages: [] };
    case 'searched':
      return searched(awaited, event, context);
  }
}

/** When something is to be told or put away, ms UTC; undefined if nothing is awaited. */
export function reminderDueAt({ requests }: Awaited, reminders: readonly number[]): number | undefined {
  if (requests.length === 0) return undefined;
  // What nobody is to be reminded of any more (the settings have changed) is to be put away at once.
  return Math.min(...requests.map((request) => nextReminder(request, reminders) ?? request.seenAt));
}

/** When people are told next that nothing has come, ms UTC; undefined after the last time. */
export function nextReminder(request: ExportRequest, reminders: readonly number[]): number | undefined {
  const { askedAt, seenAt, remindedAt = Number.NEGATIVE_INFINITY } = request;
  const wait = reminders.find((ms) => askedAt + ms > remindedAt);
  // What was found late may have its answer beside it: a search that begins afterwards finds that, too.
  return wait === undefined ? undefined : Math.max(askedAt + wait, seenAt + 1);
}

function asked(awaited: Awaited, at: number, { now, reminders }: AwaitedContext): Awaited {
  const { requests, cameAt } = awaited;
  const isKnown = requests.some(({ askedAt }) => askedAt === at);
  const isOver = at + (reminders.at(-1) ?? Number.NEGATIVE_INFINITY) <= now;
  if (isKnown || isOver || isAnswered(at, cameAt)) return awaited;
  const request: ExportRequest = { askedAt: at, seenAt: now, remindedAt: undefined };
  const latest = [...requests, request].toSorted((a, b) => a.askedAt - b.askedAt).slice(-MOST_REQUESTS);
  return latest.includes(request) ? { ...awaited, requests: latest } : awaited;
}

/** What is awaited once an export of that moment (ms UTC) has come. */
export function came(awaited: Awaited, at: number): Awaited {
  if (awaited.cameAt !== undefined && awaited.cameAt >= at) return awaited;
  return { ...awaited, cameAt: at, requests: awaited.requests.filter(({ askedAt }) => !isAnswered(askedAt, at)) };
}

function isAnswered(askedAt: number, cameAt: number | undefined): boolean {
  return cameAt !== undefined && askedAt <= cameAt + OVERTAKING_MS;
}

function searched(awaited: Awaited, { at, folders }: Search, { now, reminders }: AwaitedContext): AwaitedStep {
  const isDue = (request: ExportRequest) => (nextReminder(request, reminders) ?? Number.POSITIVE_INFINITY) <= at;
  const due = awaited.requests.filter(isDue);
  const reminded = awaited.requests.map((request) => (isDue(request) ? { ...request, remindedAt: now } : request));
  const requests = reminded.filter((request) => nextReminder(request, reminders) !== undefined);
  if (due.length === 0 && requests.length === awaited.requests.length) return { awaited, messages: [] };
  const isLast = !requests.some(({ remindedAt }) => remindedAt === now);
  const asked = due.map(({ askedAt }) => askedAt);
  return {
    awaited: { ...awaited, requests },
    messages: due.length === 0 ? [] : [messages.overdue(awaited.mailbox, { asked, folders, isLast }, now)],
  };
}
