import type { Clock } from '../../src/lib/clock.ts';

/** The moment tests start at unless told: 2026-11-21 19:05:33 UTC. */
export const TEST_START_MS = Date.UTC(2026, 10, 21, 19, 5, 33);

interface Sleeper {
  readonly wakeAt: number;
  /** Sleepers of one moment wake in the order they went to sleep. */
  readonly order: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is told to go on: hours pass in milliseconds, always the same way. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs: number = TEST_START_MS) {
    this.#now = startMs;
  }

  readonly now = (): number => this.#now;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        wakeAt: this.#now + Math.max(0, ms),
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  };

  /** How many sleeps have not ended. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** When the next sleeper wakes, ms UTC; undefined if nobody sleeps. */
  get nextWake(): number | undefined {
    return this.#first(Number.POSITIVE_INFINITY)?.wakeAt;
  }

  /**
   * Lets `ms` milliseconds pass: wakes every sleeper at its own moment, in order, and lets what it set off run (promises,
   * and I/O that is ready) before the next one wakes.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (let next = this.#first(until); next !== undefined; next = this.#first(until)) {
      this.#now = Math.max(this.#now, next.wakeAt);
      this.#sleepers.delete(next);
      next.wake();
      await settle();
    }
    this.#now = until;
  }

  #first(until: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakeAt > until) continue;
      const earlier =
        first === undefined ||
        sleeper.wakeAt < first.wakeAt ||
        (sleeper.wakeAt === first.wakeAt && sleeper.order < first.order);
      if (earlier) first = sleeper;
    }
    return first;
  }
}

/** Lets everything run that needs no time to pass: pending promises, and callbacks that are ready. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
