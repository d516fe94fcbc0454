/** The other side of `Crew`: does the jobs that it is sent, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Failure } from './failure.ts';
import { packFailure } from './failure.ts';
import { Hand } from './hand.ts';
import type { Job, Task } from './job.ts';

/** What a thread says. */
export type Word =
  /** Bytes that were written since it said so last. */
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'done'; readonly bytes: number; readonly digests: readonly string[] }
  /** All is written, and no file is open any more. */
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly failure: Failure };

const PROGRESS_BYTES = 1024 * 1024;

// Our own side has put it there.
const task = workerData as Task;
const port = parentPort;
if (port === null) throw new Error('This is to be run as a thread.');
const say = (word: Word) => port.postMessage(word);

try {
  const hand = new Hand(task);
  port.on('message', async (job: Job | 'finish') => {
    let bytes = 0;
    try {
      if (job === 'finish') {
        await hand.finish();
        say({ kind: 'finished' });
        return;
      }
      const digests = await hand.do(job, (more) => {
        bytes += more;
        if (bytes < PROGRESS_BYTES) return;
        say({ kind: 'progress', bytes });
        bytes = 0;
      });
      say({ kind: 'done', bytes, digests });
    } catch (error) {
      say({ kind: 'failed', failure: packFailure(error) });
    }
  });
} catch (error) {
  say({ kind: 'failed', failure: packFailure(error) });
}
