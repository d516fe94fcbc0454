/**
 * Runs `work` on every item, at most `limit` at a time, and gives the results in the order of the items.
 *
 * The first failure (or an abort of `parent`) aborts the signal handed to the work that is under way; the promise
 * settles only when all of it has ended, so that nothing goes on behind the caller's back.
 *
 * @throws the first failure, or `parent`'s reason
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  parent: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController();
  const signal = parent === undefined ? stop.signal : AbortSignal.any([parent, stop.signal]);
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const failures: unknown[] = [];

  async function takeFromQueue(): Promise<void> {
    try {
      for (const [index, item] of queue) {
        signal.throwIfAborted();
        results[index] = await work(item, signal);
      }
    } catch (error) {
      failures.push(error);
      stop.abort(error);
    }
  }

  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, takeFromQueue));
  parent?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
  return results;
}
