/** The other side of `sealStaged`: does what `workerData` says, and posts that it is done. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Draft, seal } from './seal.ts';

// Our own side has put it there. What is thrown reaches the other side as the thread's error.
seal(workerData as Draft);
parentPort?.postMessage('sealed');
