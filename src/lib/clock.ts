import { setTimeout as delay } from 'node:timers/promises';

/** Time, handed in wherever it matters, so that 24 hours can be tested in milliseconds. */
export interface Clock {
  /** Now, in ms since the Unix epoch (UTC). */
  now(): number;
  /**
   * Resolves after `ms` milliseconds, and rejects with the signal's reason as soon as it aborts. The timer keeps the
   * process alive.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** `setTimeout` fires at once for longer waits than this (2^31 - 1 ms). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(Math.min(Math.max(0, ms), LONGEST_TIMER_MS), undefined, signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** A source of randomness: a number in [0, 1), as `Math.random`. */
export type Random = () => number;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
