import type { Clock } from '../../lib/clock.ts';

/** Barks when one who is listened to has said nothing for too long. What we do with what was heard takes its own time. */
export class Watchdog {
  readonly #limitMs: number;
  readonly #clock: Clock;
  #listeningSince: number | undefined;

  constructor(limitMs: number, clock: Clock) {
    this.#limitMs = limitMs;
    this.#clock = clock;
    this.listen();
  }

  /** From now on silence counts. */
  listen(): void {
    this.#listeningSince = this.#clock.now();
  }

  /** Something was heard; until the next {@link listen}, silence is ours. */
  heard(): void {
    this.#listeningSince = undefined;
  }

  /** Watches until it has barked, or `ended` aborts. */
  async watch(bark: () => void, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const now = this.#clock.now();
      // A clock that was set back must not be waited for.
      if (this.#listeningSince !== undefined) this.#listeningSince = Math.min(this.#listeningSince, now);
      const silentForMs = now - (this.#listeningSince ?? now);
      if (silentForMs >= this.#limitMs) return bark();
      try {
        await this.#clock.sleep(this.#limitMs - silentForMs, ended);
      } catch {
        return;
      }
    }
  }
}
