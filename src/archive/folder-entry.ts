import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../lib/errors.ts';
import type { Sink } from './entry-data.ts';
import type { FolderEntry } from './folder.ts';
import { type ArchiveRefusal, refuseEntry } from './refusal.ts';

/** What a file is read through. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Hands on the bytes of a file of an inspected folder, chunk by chunk.
 *
 * @throws ArchiveRefusal `changed` if the file is not what was inspected any more; what `sink` or the disk throws
 */
export async function readFolderEntry(folder: string, entry: FolderEntry, sink: Sink): Promise<void> {
  await using file = await openEntry(await realpath(folder), entry);
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(BUFFER_BYTES, entry.bytes)));
  for (let bytes = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    bytes += bytesRead;
    if (bytes > entry.bytes || (bytesRead === 0 && bytes < entry.bytes)) throw changed(entry);
    if (bytesRead === 0) break;
    sink(buffer.subarray(0, bytesRead));
  }
  await assertUnchanged(file, entry);
}

/** Opens the file that was inspected, and none that a link leads to since. */
async function openEntry(root: string, entry: FolderEntry): Promise<FileHandle> {
  const path = join(root, entry.path);
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errorCode(error) ?? '')) throw changed(entry);
    throw error;
  }
  try {
    await assertUnchanged(file, entry);
    if ((await realpath(dirname(path))) !== dirname(path)) throw changed(entry);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function assertUnchanged(file: FileHandle, entry: FolderEntry): Promise<void> {
  const stats = await file.stat();
  if (!stats.isFile() || stats.size !== entry.bytes || stats.mtimeMs !== entry.mtimeMs) throw changed(entry);
}

function changed({ path }: FolderEntry): ArchiveRefusal {
  return refuseEntry('changed', path, 'has changed since the folder was checked');
}
