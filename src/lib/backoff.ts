import type { Random } from './clock.ts';

export interface BackoffLimits {
  /** Wait before the first retry, ms. */
  readonly firstMs: number;
  /** No wait is longer than this, ms. */
  readonly mostMs: number;
}

/**
 * The wait before retry number `attempt` (1 for the first), in ms: doubled each time, capped, then drawn from the upper
 * half ("equal jitter"), so that many clients spread out and yet nobody retries at once.
 */
export function backoffMs(attempt: number, limits: BackoffLimits, random: Random): number {
  const doublings = Math.min(Math.max(0, attempt - 1), 30);
  const full = Math.min(limits.mostMs, limits.firstMs * 2 ** doublings);
  return Math.round(full / 2 + (full / 2) * random());
}
