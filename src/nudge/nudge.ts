import { DAY_MS } from '../lib/clock.ts';

/** What is known of an account, or of all where there is no snapshot yet. Times in ms UTC. */
export interface NudgeFacts {
  /** When the newest export was made that is in the backup; undefined where there is none. */
  readonly newestAt: number | undefined;
  /** Whether an export is on its way: asked for and awaited, or being captured. */
  readonly underWay: boolean;
}

/** What was noted last; kept over restarts. Times in ms UTC. */
export interface NudgeRecord {
  /** `nudged`: a person was reminded. `under-way`: an export was on its way. `first-seen`: the first start. */
  readonly what: 'first-seen' | 'under-way' | 'nudged';
  readonly at: number;
}

export interface NudgeContext {
  readonly now: number;
  /** After how long without a new snapshot people are reminded, ms. */
  readonly afterMs: number;
  /** How long after a reminder the next one comes, ms. */
  readonly againMs: number;
}

/** What is noted from now on, and whether a person is to be reminded. Both are recorded in one transaction. */
export interface NudgeStep {
  readonly record: NudgeRecord | undefined;
  readonly remind: boolean;
}

/** Who has just set Chatkeep up has other things to do first; and the first export is the one that matters most. */
const FIRST_NUDGE_AFTER_MS = 3 * DAY_MS;
/** What is on its way is noted again only when the note has become this old. */
const NOTE_AGAIN_MS = DAY_MS / 2;

/**
 * Whether it is time to remind of asking for an export: pure. While one is on its way nobody is reminded; one that came
 * to nothing was told of by itself, and the reminders begin again later.
 */
export function stepNudge(last: NudgeRecord | undefined, facts: NudgeFacts, context: NudgeContext): NudgeStep {
  const { now } = context;
  if (facts.underWay) {
    const isNoted = last?.what === 'under-way' && now - last.at < NOTE_AGAIN_MS;
    return { record: isNoted ? last : { what: 'under-way', at: now }, remind: false };
  }
  if (facts.newestAt === undefined && last === undefined)
    return { record: { what: 'first-seen', at: now }, remind: false };
  if (now < nextNudge(last, facts, context)) return { record: last, remind: false };
  return { record: { what: 'nudged', at: now }, remind: true };
}

/** When people are reminded next if no export is asked for, ms UTC. */
export function nextNudge(
  last: NudgeRecord | undefined,
  { newestAt }: Pick<NudgeFacts, 'newestAt'>,
  { now, afterMs, againMs }: NudgeContext,
): number {
  const setUpAt = last?.what === 'first-seen' ? last.at : now;
  const isBegun = last !== undefined && last.what !== 'first-seen';
  if (newestAt === undefined) return isBegun ? last.at + againMs : setUpAt + Math.min(FIRST_NUDGE_AFTER_MS, afterMs);
  return Math.max(newestAt + afterMs, isBegun ? last.at + againMs : Number.NEGATIVE_INFINITY);
}
