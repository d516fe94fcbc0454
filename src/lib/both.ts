/**
 * Runs two pieces of work side by side. The first failure (or an abort of `parent`) aborts the signal handed to both;
 * the promise settles only when both have ended, so that neither goes on behind the caller's back.
 *
 * @throws `parent`'s reason, or the first failure
 */
export async function both<A, B>(
  parent: AbortSignal | undefined,
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const stop = new AbortController();
  const signal = parent === undefined ? stop.signal : AbortSignal.any([parent, stop.signal]);

  async function stopOnFailure<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await work(signal);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }

  const [a, b] = await Promise.allSettled([stopOnFailure(first), stopOnFailure(second)]);
  parent?.throwIfAborted();
  if (a.status === 'rejected' || b.status === 'rejected') throw stop.signal.reason;
  return [a.value, b.value];
}
