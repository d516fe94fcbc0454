import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently } from '../lib/concurrency.ts';
import { errorCode } from '../lib/errors.ts';
import { readSumsOf } from './copies.ts';
import { OWN_DIRECTORY } from './names.ts';
import type { SnapshotPlace } from './place.ts';
import { walkTree } from './tree.ts';

const AT_A_TIME = 16;

/** A file or a folder of an export, as it lies in a snapshot. */
export interface SnapshotEntry {
  /** POSIX, relative to the snapshot. */
  readonly path: string;
  readonly bytes: number;
  /** ms UTC */
  readonly modified: number;
}

/** The export's own files and folders in a snapshot. */
export interface SnapshotEntries {
  readonly files: readonly SnapshotEntry[];
  readonly emptyFolders: readonly SnapshotEntry[];
  /** Paths of files that SHA256SUMS names and that are not there. */
  readonly missing: readonly string[];
}

/**
 * What of an export is in a snapshot: the files that its SHA256SUMS names, in that order, and folders with nothing in them.
 * @throws what the file system says, but for files that are not there; the signal's reason
 */
export async function readEntries({ path: root }: SnapshotPlace, signal?: AbortSignal): Promise<SnapshotEntries> {
  const sums = await readSumsOf(root);
  const found = await statEntries(
    root,
    sums.map(({ path }) => path),
    signal,
  );
  const tree = await walkTree(root);
  const parents = new Set(tree.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('/')))));
  const empty = tree.filter(({ path, kind }) => kind === 'directory' && path !== OWN_DIRECTORY && !parents.has(path));
  return {
    files: found.filter((entry) => entry !== undefined),
    emptyFolders: await Promise.all(
      empty.map(async ({ path }) => ({ path, bytes: 0, modified: (await lstat(join(root, path))).mtimeMs })),
    ),
    missing: sums.map(({ path }) => path).filter((_, index) => found[index] === undefined),
  };
}

/** Sizes and times of files of a snapshot, in the same order; undefined for each that is not there as a file. */
export function statEntries(
  root: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<(SnapshotEntry | undefined)[]> {
  return mapConcurrently(paths, AT_A_TIME, signal, async (path) => {
    try {
      const stats = await lstat(join(root, path));
      return stats.isFile() ? { path, bytes: stats.size, modified: stats.mtimeMs } : undefined;
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
      throw error;
    }
  });
}
