import { chmodSync, type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../lib/errors.ts';
import { OWN_DIRECTORY } from './names.ts';

/** What is to be in a staging directory. It may go to a thread, so it is plain data. */
export interface Draft {
  readonly staging: string;
  /** Bytes by path: POSIX, relative to the staging directory. */
  readonly files: ReadonlyMap<string, number>;
}

/** Snapshot files cannot be changed by accident. Directories stay writable, or nobody could delete a snapshot. */
export const SNAPSHOT_FILE_MODE = 0o400;
const MODE_BITS = 0o7777;

/** Modes guard against accidents only; file systems without them (exFAT, some shares) are good enough. */
const NO_MODES_HERE: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * Makes the staged files read-only, where they are not. The draft and the staging directory must be one: a snapshot that
 * cannot be verified is none. Its calls block: of many files, those that do not would take longer by far.
 *
 * @throws Error if the directory holds anything else; what the file system says
 */
export function seal({ staging, files }: Draft): void {
  let found = 0;
  // The list grows while it is gone through.
  const directories = [''];
  for (const directory of directories) {
    for (const entry of readdirSync(join(staging, directory), { withFileTypes: true })) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (path === OWN_DIRECTORY) continue;
      if (entry.isDirectory()) {
        directories.push(path);
        continue;
      }
      sealFile(`${staging}/${path}`, entry, files.get(path));
      found += 1;
    }
  }
  if (found === files.size) return;
  const missing = [...files.keys()].find(
    (path) => lstatSync(join(staging, path), { throwIfNoEntry: false }) === undefined,
  );
  throw new Error(`The staging directory does not hold what the draft does: ${missing}`);
}

function sealFile(path: string, entry: Dirent, bytes: number | undefined): void {
  const stats = lstatSync(path);
  if (!entry.isFile() || stats.size !== bytes) {
    throw new Error(`The staging directory holds what the draft does not: ${path}`);
  }
  if ((stats.mode & MODE_BITS) === SNAPSHOT_FILE_MODE) return;
  try {
    chmodSync(path, SNAPSHOT_FILE_MODE);
  } catch (error) {
    if (!NO_MODES_HERE.includes(errorCode(error) ?? '')) throw error;
  }
}
