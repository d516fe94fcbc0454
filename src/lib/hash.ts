import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** One read fills a megabyte: large enough that hashing, not the calls, sets the pace. */
const READ_BYTES = 1024 * 1024;

/** The SHA-256 of a file, as 64 hex digits; the file is streamed. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), hash, signal ? { signal } : {});
  return hash.digest('hex');
}

/** The SHA-256 of a text or of bytes, as 64 hex digits. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
