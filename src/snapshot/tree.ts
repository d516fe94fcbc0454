import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError, errorCode } from '../lib/errors.ts';

export interface TreeEntry {
  /** POSIX, relative to the root. */
  readonly path: string;
  /** `other`: a symbolic link, a device; never followed. */
  readonly kind: 'file' | 'directory' | 'other';
}

/** Everything below `root`, a directory before what it holds, sorted by name within it. */
export async function walkTree(root: string): Promise<TreeEntry[]> {
  const found: TreeEntry[] = [];
  async function walk(directory: string): Promise<void> {
    const entries = await readdir(join(root, directory), { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory()) {
        found.push({ path, kind: 'directory' });
        await walk(path);
      } else {
        found.push({ path, kind: entry.isFile() ? 'file' : 'other' });
      }
    }
  }
  await walk('');
  return found;
}

/** What lies at `path` itself (a link is not followed), or undefined where nothing does. */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The first of these names, for the ordinals from 1, that nothing in the directory has. */
export async function freeName(directory: string, nameOf: (ordinal: number) => string): Promise<string> {
  for (let ordinal = 1; ; ordinal += 1) {
    const name = nameOf(ordinal);
    if ((await statIfThere(join(directory, name))) === undefined) return name;
  }
}

/** Runs `work`, and turns what the file system refuses into a `storage` error that says what was being done. */
export async function withStorageErrors<T>(doing: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStorageError(error, doing, path);
  }
}
