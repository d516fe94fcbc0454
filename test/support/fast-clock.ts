import { type Clock, systemClock } from '../../src/lib/clock.ts';

/** The machine's clock, so many times as fast: what waits for minutes waits for a moment, with everything else real. */
export class FastClock implements Clock {
  readonly #start = systemClock.now();
  readonly #speed: number;

  constructor(speed: number) {
    this.#speed = speed;
  }

  readonly now = (): number => this.#start + (systemClock.now() - this.#start) * this.#speed;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => systemClock.sleep(ms / this.#speed, signal);
}
