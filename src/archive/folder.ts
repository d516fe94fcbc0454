import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError, errorCode } from '../lib/errors.ts';
import { isLitter } from '../lib/litter.ts';
import { count, formatBytes } from '../lib/text.ts';
import type { ArchiveBudgets, InspectOptions } from './inspect.ts';
import { NAME_PROBLEM_WORDS } from './name-problem.ts';
import { NameRegistry, nameProblem } from './names.ts';
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
