import { statfs } from 'node:fs/promises';
import { asStorageError, ChatkeepError } from './errors.ts';
import { formatBytes } from './text.ts';

/** Left free for the journal and for what the file system itself needs. */
export const RESERVE_BYTES = 8 * 1024 * 1024;

/** What an unprivileged user may still write to the file system of `path`, in bytes. */
export async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/**
 * Makes sure that `bytes` fit, before the first of them is written.
 * @param what the directory's name in a sentence: "backup directory"
 * @throws ChatkeepError `storage` that says how much is wanting, or what the disk said when it was asked
 */
export async function assertRoom(path: string, bytes: number, what: string): Promise<void> {
  const free = await freeBytesOf(path).catch((error: unknown) => {
    throw asStorageError(error, 'find out how much room is left in', path);
  });
  const needed = bytes + RESERVE_BYTES;
  if (free >= needed) return;
  throw new ChatkeepError(
    'storage',
    `The disk is full: the ${what} ${path} needs ${formatBytes(needed)}, and ${formatBytes(free)} are free.`,
  );
}
