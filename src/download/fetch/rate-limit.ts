import { type Clock, SECOND_MS } from '../../lib/clock.ts';

/** What may pass ahead of its time: timers are not more exact than this, and a sleep for every chunk costs too much. */
const AHEAD_MS = 20;

/** A line of limited width that all downloads share (a token bucket that holds {@link AHEAD_MS}). */
export class RateLimit {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  /** When all that was let pass has had its time, ms UTC. */
  #freeAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /**
   * Resolves when `bytes` more may come.
   * @throws the signal's reason when it aborts
   */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    // A clock that was set back must not be waited for.
    if (now < this.#askedAt) this.#freeAt -= this.#askedAt - now;
    this.#askedAt = now;
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes / this.#bytesPerSecond) * SECOND_MS;
    const aheadMs = this.#freeAt - now;
    if (aheadMs > AHEAD_MS) await this.#clock.sleep(aheadMs, signal);
  }
}
