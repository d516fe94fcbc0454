import { RESERVE_BYTES } from '../lib/space.ts';

/** How a disk is, given what the next export will need. Bytes. */
export interface DiskFacts {
  /** What an unprivileged user may still write. */
  readonly free: number;
  readonly total: number;
  /** What the next export will take at the most while it is fetched and unpacked, as far as recent ones tell. */
  readonly need: number;
}

export interface DiskSettings {
  /** Below this share of free space people are told, too, in percent; 0: only the size of exports counts. */
  readonly warnFreePercent: number;
}

/** `low`: the next export fits, the one after it perhaps not. `full`: not even the next one fits. */
export type DiskState = 'enough' | 'low' | 'full';

/** A disk that hovers at the limit is not told of at each turn. */
const ENOUGH_AGAIN = 1.25;

/** How many bytes have to be free for `enough`. */
export function limitOf({ total, need }: DiskFacts, { warnFreePercent }: DiskSettings): number {
  // Where nothing was kept yet, nobody knows how large an export is.
  const forTwo = need === 0 ? 0 : 2 * need + RESERVE_BYTES;
  return Math.max(forTwo, (total * warnFreePercent) / 100);
}

/** The state after `before`: pure. To get better takes a quarter more than the limit. */
export function judgeDisk(before: DiskState, facts: DiskFacts, settings: DiskSettings): DiskState {
  const { free, need } = facts;
  const forOne = (need + RESERVE_BYTES) * (before === 'full' ? ENOUGH_AGAIN : 1);
  if (need > 0 && free < forOne) return 'full';
  return free < limitOf(facts, settings) * (before === 'enough' ? 1 : ENOUGH_AGAIN) ? 'low' : 'enough';
}
