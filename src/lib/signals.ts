/**
 * A signal that aborts after `ms` milliseconds (with a {@link TimeoutError} of this sentence), or when `parent` does.
 * Its timer holds it, which `AbortSignal.timeout` does not do: as a mere part of an `AbortSignal.any` that may be
 * collected before it fires (https://github.com/nodejs/node/issues/57736).
 */
export class TimeLimit implements Disposable {
  readonly signal: AbortSignal;
  readonly #limit = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(ms: number, sentence: string, parent?: AbortSignal) {
    this.signal = parent === undefined ? this.#limit.signal : AbortSignal.any([parent, this.#limit.signal]);
    this.#timer = setTimeout(() => this.#limit.abort(new TimeoutError(sentence)), ms);
  }

  /** Whether the time was over, whatever `parent` did. */
  get isOver(): boolean {
    return this.#limit.signal.aborted;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Runs `work` with a time limit: its signal aborts after `ms` milliseconds (with a `TimeoutError` that says what took
 * too long) or when `parent` does. The result of work that ignores its signal is not waited for.
 */
export async function withTimeout<T>(
  what: string,
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent?.throwIfAborted();
  using limit = new TimeLimit(ms, `${what} took longer than ${ms / 1000} s`, parent);
  return await orAborted(work(limit.signal), limit.signal);
}

/** `work`, or the signal's reason as soon as it aborts. Nothing stays behind with a signal that lives for years. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Something took longer than it was allowed to. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}
