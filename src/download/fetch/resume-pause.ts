import { backoffMs } from '../../lib/backoff.ts';
import { type Clock, SECOND_MS } from '../../lib/clock.ts';

/** What was cut off is gone on with soon, but never in a hot loop: */
const PAUSE = { firstMs: SECOND_MS / 4, mostMs: 16 * SECOND_MS };
/** where each request brings less than this, they become less and less frequent, */
const LITTLE_BYTES = 32 * 1024;
/** and after so many in a row, half a minute, it is left to the caller when to try again. */
const MOST_VAIN = 8;

/** The pauses of one connection between requests that were cut off. */
export class ResumePause {
  readonly #clock: Clock;
  #broughtLittle = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits until it may be gone on with; gives false, at once, if that leads to nothing any more.
   *
   * @param brought what the request that was cut off has brought, bytes
   * @throws the signal's reason when it aborts
   */
  async take(brought: number, signal: AbortSignal): Promise<boolean> {
    this.#broughtLittle = brought < LITTLE_BYTES ? this.#broughtLittle + 1 : 0;
    if (this.#broughtLittle >= MOST_VAIN) return false;
    const pauseMs = backoffMs(this.#broughtLittle, PAUSE, () => 1);
    await this.#clock.sleep(pauseMs, signal);
    return true;
  }
}
