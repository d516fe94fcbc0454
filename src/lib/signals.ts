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
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new TimeoutError(`${what} took longer than ${ms / 1000} s`)), ms);
  const signal = parent === undefined ? limit.signal : AbortSignal.any([parent, limit.signal]);
  try {
    return await Promise.race([work(signal), rejectOnAbort(signal)]);
  } finally {
    clearTimeout(timer);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Something took longer than it was allowed to. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}
