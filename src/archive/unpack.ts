import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently } from '../lib/concurrency.ts';
import { asStorageError, errorCode } from '../lib/errors.ts';
import { PRIVATE_DIRECTORY_MODE, PRIVATE_FILE_MODE, syncDirectory } from '../lib/files.ts';
import { readEntryData, reopenArchive } from './entry-data.ts';
import { readFolderEntry } from './folder.ts';
import type { Inspection, InspectionEntry } from './inspection.ts';
import { NAME_PROBLEM_WORDS } from './names.ts';
import { refuseEntry } from './refusal.ts';

/** Enough to keep a disk busy while another file is inflated or synced; more only costs memory. */
const FILES_AT_A_TIME = 4;

export interface UnpackedFile {
  /** POSIX, relative to the target. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  /** ms UTC. */
  readonly modified: number;
}

export interface UnpackOptions {
  /** A fresh directory that only the user can enter. */
  readonly target: string;
  readonly signal?: AbortSignal;
  /** Unpacked bytes so far, and in all. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

/**
 * Unpacks an inspected archive into a directory: every file is made anew (never written through a link), checked
 * against size and CRC-32, given its time, and durable when the promise resolves, as are the directories.
 *
 * What was written before a failure stays in the target; it is the caller's to remove.
 *
 * @returns the files in the archive's order
 * @throws ArchiveRefusal; ChatkeepError `storage`; the signal's reason
 */
export async function unpackArchive(inspection: Inspection, options: UnpackOptions): Promise<UnpackedFile[]> {
  const { target, signal } = options;
  signal?.throwIfAborted();
  try {
    if ((await readdir(target)).length > 0) throw new Error(`The directory to unpack into is not empty: ${target}`);
    for (const directory of inspection.directories) await makeDirectory(target, directory);
    const files = await unpackFiles(inspection, options);
    // The deepest first, so that no directory is durable before what it holds.
    for (const directory of inspection.directories.toReversed()) await syncDirectory(join(target, directory));
    await syncDirectory(target);
    return files;
  } catch (error) {
    throw asStorageError(error, 'unpack the archive into', target);
  }
}

async function makeDirectory(target: string, path: string): Promise<void> {
  try {
    await mkdir(join(target, path), { mode: PRIVATE_DIRECTORY_MODE });
  } catch (error) {
    throw refusedByName(error, path);
  }
}

async function unpackFiles(inspection: Inspection, options: UnpackOptions): Promise<UnpackedFile[]> {
  if (inspection.form === 'folder') {
    return writeFiles(inspection.entries, inspection, options, (entry, signal, sink) =>
      readFolderEntry(inspection, entry, signal, sink),
    );
  }
  await using file = await reopenArchive(inspection);
  return await writeFiles(inspection.entries, inspection, options, (entry, signal, sink) =>
    readEntryData(file, entry, signal, sink),
  );
}

/** @param read hands an entry's checked data on, chunk by chunk; and may use a chunk again once it is taken */
function writeFiles<E extends InspectionEntry>(
  entries: readonly E[],
  { unpackedBytes }: Inspection,
  { target, signal, onProgress }: UnpackOptions,
  read: (entry: E, signal: AbortSignal, sink: (chunk: Buffer) => Promise<void>) => Promise<void>,
): Promise<UnpackedFile[]> {
  let bytesDone = 0;
  return mapConcurrently(entries, FILES_AT_A_TIME, signal, async (entry, stop) => {
    await using out = await createFile(target, entry.path);
    const hash = createHash('sha256');
    await read(entry, stop, async (chunk) => {
      hash.update(chunk);
      await out.writeFile(chunk);
      bytesDone += chunk.length;
      onProgress?.(bytesDone, unpackedBytes);
    });
    await out.utimes(entry.modified / 1000, entry.modified / 1000);
    await out.sync();
    return { path: entry.path, bytes: entry.bytes, sha256: hash.digest('hex'), modified: entry.modified };
  });
}

async function createFile(target: string, path: string): Promise<FileHandle> {
  try {
    return await open(join(target, path), 'wx', PRIVATE_FILE_MODE);
  } catch (error) {
    throw refusedByName(error, path);
  }
}

/** The target's own path counts, too, and some file systems take less than others: only they can tell. */
function refusedByName(error: unknown, path: string): unknown {
  if (errorCode(error) !== 'ENAMETOOLONG') return error;
  return refuseEntry('path-too-long', path, NAME_PROBLEM_WORDS['path-too-long'], { cause: error });
}
