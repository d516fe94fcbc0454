import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';

/**
 * The next message of a thread.
 *
 * @throws what the thread threw, with its code; Error if it ended without a word; the signal's reason
 */
export async function answerOf(thread: Worker, signal?: AbortSignal): Promise<unknown> {
  signal?.throwIfAborted();
  const settled = new AbortController();
  const either = { signal: signal === undefined ? settled.signal : AbortSignal.any([signal, settled.signal]) };
  // Both end at an error, too, which comes before the exit.
  const answered = once(thread, 'message', either).then(([message]): unknown => message);
  const ended = once(thread, 'exit', either).then(([code]) => {
    throw new Error(`A thread has ended with exit code ${code}, and without an answer.`);
  });
  try {
    return await Promise.race([answered, ended]);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    settled.abort();
    answered.catch(() => {});
    ended.catch(() => {});
  }
}
