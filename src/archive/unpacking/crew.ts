import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { programBeside } from '../../lib/program-beside.ts';
import { unpackFailure } from './failure.ts';
import { Hand } from './hand.ts';
import type { Job, Task } from './job.ts';
import type { Word } from './thread.ts';

/** Each takes about 15 MB of memory; more than this many make the disk the bottleneck. */
const MOST_THREADS = 4;

/** What V8 may take in a thread. The buffers lie outside of it, and are let go when its young generation is collected. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };

export interface CrewOptions {
  readonly signal: AbortSignal | undefined;
  /** Bytes that were written since it was told last. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Has jobs done by the thread that asks, for what takes less time than starting others.
 *
 * @returns the digests of each job
 * @throws as {@link Hand.do}; the signal's reason
 */
export async function doAlone(task: Task, jobs: readonly Job[], options: CrewOptions): Promise<string[][]> {
  await using hand = new Hand(task);
  const results: string[][] = [];
  for (const job of jobs) {
    await nextTurn();
    options.signal?.throwIfAborted();
    const digests = await hand.do(job, (bytes) => {
      options.onBytes(bytes);
      options.signal?.throwIfAborted();
    });
    results.push(digests);
  }
  await hand.finish();
  return results;
}

/**
 * Has jobs done by threads, as many as there are cores; each takes the next one when it has done the last. The promise
 * settles when all of them have ended: the first failure, or an abort, ends them at once.
 *
 * @returns the digests of each job
 * @throws as {@link Hand.do}; Error if a thread dies (out of memory, say); the signal's reason
 */
export async function doInThreads(task: Task, jobs: readonly Job[], options: CrewOptions): Promise<string[][]> {
  const { signal, onBytes } = options;
  signal?.throwIfAborted();
  const results = new Array<string[]>(jobs.length);
  const queue = jobs.entries();
  const file = programBeside(import.meta.url, './thread');
  const threads: Worker[] = [];
  const ended: Promise<unknown>[] = [];

  function runThread(): Promise<void> {
    const thread = new Worker(file, { workerData: task, env: {}, resourceLimits: THREAD_LIMITS });
    threads.push(thread);
    ended.push(new Promise((resolve) => thread.once('exit', resolve)));
    return new Promise((resolve, reject) => {
      let current: number | undefined;
      function next(): void {
        const { value, done } = queue.next();
        if (done === true) {
          thread.postMessage('finish');
          return;
        }
        const [index, job] = value;
        current = index;
        thread.postMessage(job);
      }
      thread.on('message', (word: Word) => {
        if (word.kind === 'failed') {
          reject(unpackFailure(word.failure));
          return;
        }
        if (word.kind === 'finished') {
          resolve();
          return;
        }
        onBytes(word.bytes);
        if (word.kind === 'progress') return;
        if (current !== undefined) results[current] = [...word.digests];
        next();
      });
      thread.once('error', reject);
      thread.once('exit', (code) => reject(new Error(`A thread that unpacks has ended with exit code ${code}.`)));
      next();
    });
  }

  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const count = Math.min(availableParallelism(), MOST_THREADS, jobs.length);
    await Promise.race([Promise.all(Array.from({ length: count }, runThread)), aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
    for (const thread of threads) void thread.terminate();
    await Promise.all(ended);
  }
  return results;
}
