/** The other side of `sha256InThread`: hashes the file that `workerData` names, and posts the result. */
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { sha256OfFile } from './hash.ts';

const { path } = z.object({ path: z.string() }).parse(workerData);
parentPort?.postMessage(await sha256OfFile(path));
