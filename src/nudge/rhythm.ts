import { DAY_MS } from '../lib/clock.ts';
import type { SnapshotInfo } from '../snapshot/index.ts';

/** What is needed of an export to tell how an account grows. */
export type Counted = { readonly meta: Pick<SnapshotInfo['meta'], 'exportTime' | 'counts'> };

const WEEK_MS = 7 * DAY_MS;
/** How fast somebody wrote a year ago says little about today. */
const LOOK_BACK_MS = 180 * DAY_MS;
/** Two exports of one day tell nothing of a week. */
const LEAST_SPAN_MS = 3 * DAY_MS;
/** About as many messages as one would not like to lose. */
const MESSAGES_AT_STAKE = 500;
/** Rhythms that people keep, in days. */
const RHYTHMS = [7, 14, 30, 90] as const;
type Rhythm = (typeof RHYTHMS)[number];

/**
 * How many messages an account grows by in a week, by the counts of its exports of the last half year; undefined where
 * they do not tell.
 *
 * @param exports of one account, oldest first
 */
export function growthOf(exports: readonly Counted[]): number | undefined {
  const counted = exports.filter(({ meta }) => meta.counts.messages !== undefined);
  const newest = counted.at(-1)?.meta;
  if (newest === undefined) return undefined;
  const first = counted.find(({ meta }) => newest.exportTime - meta.exportTime <= LOOK_BACK_MS)?.meta;
  const span = newest.exportTime - (first?.exportTime ?? newest.exportTime);
  if (first === undefined || span < LEAST_SPAN_MS) return undefined;
  const grown = (newest.counts.messages ?? 0) - (first.counts.messages ?? 0);
  // What was deleted upstream is no growth, and no reason to back up less.
  return grown < 0 ? undefined : (grown / span) * WEEK_MS;
}

/** How often an export would suit an account, in days: so that few messages are at stake, and nobody is kept busy. */
export function rhythmFor(messagesPerWeek: number): Rhythm {
  const days = messagesPerWeek <= 0 ? Number.POSITIVE_INFINITY : (MESSAGES_AT_STAKE / messagesPerWeek) * 7;
  return RHYTHMS.findLast((rhythm) => rhythm <= days) ?? RHYTHMS[0];
}
