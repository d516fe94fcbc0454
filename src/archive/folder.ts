import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asStorageError, errorCode } from '../lib/errors.ts';
import { isLitter } from '../lib/litter.ts';
import { count, formatBytes } from '../lib/text.ts';
import type { ArchiveBudgets, InspectOptions } from './inspect.ts';
import { NAME_PROBLEM_WORDS, NameRegistry, nameProblem } from './names.ts';
import { ArchiveRefusal, refuseEntry } from './refusal.ts';
import { newestTime, saneTime } from './times.ts';

/** A file in a folder, with a name and a place that have been checked. */
export interface FolderEntry {
  /** POSIX, relative to the folder. */
  readonly path: string;
  readonly bytes: number;
  /** ms UTC. */
  readonly modified: number;
  /** As the file system has it; another one is another file. */
  readonly mtimeMs: number;
}

/** An archive that somebody (Safari, most often) has unpacked already. Its files have not been read. */
export interface FolderInspection {
  readonly form: 'folder';
  readonly archive: string;
  /** All files together. */
  readonly bytes: number;
  readonly entries: readonly FolderEntry[];
  /** Those above first. */
  readonly directories: readonly string[];
  readonly unpackedBytes: number;
  /** The newest time of a file, ms UTC; undefined where none has one. */
  readonly newestEntry: number | undefined;
}

/** What a file is read through. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Checks a folder as a ZIP's directory is checked: names, collisions, kinds, budgets. Links are not followed but
 * refused; what file managers leave behind is passed over.
 *
 * @throws ArchiveRefusal with the reason and the entry; ChatkeepError `storage`; the signal's reason
 */
export async function inspectFolder(path: string, { budgets, signal }: InspectOptions): Promise<FolderInspection> {
  const names = new NameRegistry();
  const entries: FolderEntry[] = [];
  let bytes = 0;

  async function look(directory: string): Promise<void> {
    const found = await readdir(join(path, directory), { withFileTypes: true });
    for (const entry of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      signal?.throwIfAborted();
      if (isLitter(entry.name)) continue;
      const inner = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (entry.isSymbolicLink()) {
        throw refuseEntry('symbolic-link', inner, 'is a symbolic link: it could lead out of the folder');
      }
      if (!entry.isFile() && !entry.isDirectory()) {
        throw refuseEntry('special-file', inner, 'is a device or another special file');
      }
      register(names, inner, entry.isFile() ? 'file' : 'directory');
      if (entry.isDirectory()) {
        await look(inner);
        continue;
      }
      const file = await entryAt(path, inner);
      bytes += file.bytes;
      entries.push(file);
      assertWithin(budgets, entries.length, bytes);
    }
  }

  try {
    await look('');
  } catch (error) {
    throw asStorageError(error, 'read the folder', path);
  }
  if (entries.length === 0) throw new ArchiveRefusal('no-files', 'The folder holds no file.');
  return {
    form: 'folder',
    archive: path,
    bytes,
    entries,
    directories: names.directories(),
    unpackedBytes: bytes,
    newestEntry: newestTime(entries),
  };
}

function register(names: NameRegistry, path: string, kind: 'file' | 'directory'): void {
  const problem = nameProblem(path);
  if (problem !== undefined) throw refuseEntry(problem, path, NAME_PROBLEM_WORDS[problem]);
  const collision = names.add(path, kind);
  if (collision !== undefined) {
    throw refuseEntry(collision.problem, path, `would be the same as "${collision.with}" on some file systems`);
  }
}

async function entryAt(folder: string, path: string): Promise<FolderEntry> {
  try {
    const { size, mtimeMs } = await lstat(join(folder, path));
    return { path, bytes: size, modified: saneTime(mtimeMs), mtimeMs };
  } catch (error) {
    // Gone since, or its name is not valid UTF-8 and cannot be asked for.
    if (errorCode(error) === 'ENOENT') throw refuseEntry('changed', path, 'cannot be found any more', { cause: error });
    throw error;
  }
}

function assertWithin({ maxEntries, maxUnpackedBytes }: ArchiveBudgets, entries: number, bytes: number): void {
  if (entries > maxEntries) {
    throw new ArchiveRefusal(
      'too-many-entries',
      `The folder has more than ${count(maxEntries, 'file')}, which are allowed (archive.max_entries).`,
    );
  }
  if (bytes > maxUnpackedBytes) {
    throw new ArchiveRefusal(
      'too-large',
      `The folder holds more than ${formatBytes(maxUnpackedBytes)} (archive.max_unpacked_gb).`,
    );
  }
}

/**
 * Hands on the bytes of a file of an inspected folder, chunk by chunk; a chunk is used again once the sink has taken it.
 *
 * @throws ArchiveRefusal `changed` if the file is not what was inspected any more; the signal's reason
 */
export async function readFolderEntry(
  { archive }: FolderInspection,
  entry: FolderEntry,
  signal: AbortSignal | undefined,
  sink: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  await using file = await openEntry(await realpath(archive), entry);
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(BUFFER_BYTES, entry.bytes)));
  for (let bytes = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    bytes += bytesRead;
    if (bytes > entry.bytes || (bytesRead === 0 && bytes < entry.bytes)) throw changed(entry);
    if (bytesRead === 0) break;
    await sink(buffer.subarray(0, bytesRead));
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
