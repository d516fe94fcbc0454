import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { Mutex } from '../lib/mutex.ts';

/** A piece of work behind the pages. `total` is 0 as long as it is not known. */
export type Work<R> =
  | { readonly state: 'running'; readonly done: number; readonly total: number }
  | { readonly state: 'done'; readonly at: number; readonly result: R }
  | { readonly state: 'failed'; readonly at: number; readonly reason: string };

export interface BackgroundOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of how many pieces of work the outcome is remembered. */
  readonly remembered: number;
}

/** Work that takes longer than a page may: one piece at a time, its outcome remembered. */
export class Background<R> {
  readonly #options: BackgroundOptions;
  readonly #works = new Map<string, Work<R>>();
  readonly #oneAtATime = new Mutex();

  constructor(options: BackgroundOptions) {
    this.#options = options;
  }

  /** How the work of that name stands; undefined where it was never begun, or is forgotten. */
  look(name: string): Work<R> | undefined {
    return this.#works.get(name);
  }

  /** Begins it, unless it is under way. What it came to before is forgotten. */
  begin(
    name: string,
    work: (signal: AbortSignal, onProgress: (done: number, total: number) => void) => Promise<R>,
  ): Work<R> {
    const known = this.#works.get(name);
    if (known?.state === 'running') return known;
    const { clock, signal } = this.#options;
    const begun = this.#note(name, { state: 'running', done: 0, total: 0 });
    void this.#oneAtATime.run(async () => {
      try {
        signal.throwIfAborted();
        const result = await work(signal, (done, total) => this.#note(name, { state: 'running', done, total }));
        this.#note(name, { state: 'done', at: clock.now(), result });
      } catch (error) {
        this.#note(name, { state: 'failed', at: clock.now(), reason: errorMessage(error) });
      }
    });
    return begun;
  }

  #note(name: string, work: Work<R>): Work<R> {
    this.#works.delete(name);
    this.#works.set(name, work);
    for (const [oldest, { state }] of this.#works) {
      if (this.#works.size <= this.#options.remembered) break;
      if (state !== 'running') this.#works.delete(oldest);
    }
    return work;
  }
}
