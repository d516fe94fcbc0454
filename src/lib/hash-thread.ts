/** The other side of `sha256InThread`: hashes the file that `workerData` names, and posts the result. */
import { parentPort, workerData } from 'node:worker_threads';
import { sha256OfFile } from './hash.ts';

// Our own side has put it there; a validator would take longer to load than most archives to hash.
const { path } = workerData as { readonly path: string };
parentPort?.postMessage(await sha256OfFile(path));
