/** The other side of `FileHasher`: hashes the files whose paths it is sent, one at a time, and posts each SHA-256. */
import { parentPort } from 'node:worker_threads';
import { sha256OfFile } from './hash.ts';

parentPort?.on('message', async (path: string) => {
  // What reading throws ends the thread, and reaches the other side as its error.
  parentPort?.postMessage(await sha256OfFile(path));
});
