/**
 * Runs parts that go on until they are told to stop. When `signal` aborts, or one of them fails, all are told; resolves
 * when the last has stopped.
 *
 * @throws what the first part that failed has thrown
 */
export async function runTogether(
  parts: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const results = await Promise.allSettled(
    parts.map(async (part) => {
      try {
        await part(stop);
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }),
  );
  if (failure.signal.aborted && results.some(({ status }) => status === 'rejected')) throw failure.signal.reason;
}
