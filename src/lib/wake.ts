import type { Clock } from './clock.ts';

/** An alarm clock that can also be woken by hand: a wake-up that comes while nobody sleeps is not lost. */
export class Alarm {
  readonly #clock: Clock;
  #woken = false;
  #interrupt: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the present sleep, or else the next. */
  wake(): void {
    this.#woken = true;
    this.#interrupt?.abort();
  }

  /** Sleeps for `ms` at the most. Resolves also when the signal aborts. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      this.#interrupt = new AbortController();
      await this.#clock.sleep(ms, AbortSignal.any([signal, this.#interrupt.signal])).catch(() => {});
      this.#interrupt = undefined;
    }
    this.#woken = false;
  }
}
