/** Those who help with a piece of work, each at a time of its own. */
export class Crew {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  readonly #atWork = new Set<Promise<void>>();
  #stop = new AbortController();

  /**
   * @param work one helper's work; when its signal aborts it ends, whether it rejects then or not
   * @param onFailure told of a helper's failure
   */
  constructor(work: (signal: AbortSignal) => Promise<void>, onFailure: (error: unknown) => void) {
    this.#work = work;
    this.#onFailure = onFailure;
  }

  /** Has `count` helpers at work. */
  muster(count: number): void {
    while (this.#atWork.size < count) this.#begin();
  }

  /** Resolves when the last of them has ended by itself. */
  async ended(): Promise<void> {
    while (this.#atWork.size > 0) await Promise.all(this.#atWork);
  }

  /** Stops them all, and resolves when the last has ended. */
  async dismiss(): Promise<void> {
    this.#stop.abort(new Error('dismissed'));
    await this.ended();
    this.#stop = new AbortController();
  }

  #begin(): void {
    const { signal } = this.#stop;
    const helper = this.#work(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#onFailure(error);
      })
      .finally(() => this.#atWork.delete(helper));
    this.#atWork.add(helper);
  }
}
