import { constants } from 'node:fs';
import { copyFile, link, lstat, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently } from '../lib/concurrency.ts';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { FileHasher } from '../lib/hash.ts';
import type { Logger } from '../lib/logger.ts';
import { readSumsOf } from './copies.ts';
import { compareStamps, OWN_DIRECTORY, parseSnapshotName } from './names.ts';
import type { SnapshotInfo } from './place.ts';

/** A file of a snapshot in the making. */
export interface SnapshotFile {
  /** POSIX, relative to the snapshot. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** Each is hashed in a thread. */
const FILES_AT_A_TIME = 2;

/** The file system has no hard links (exFAT, many network shares), or no clones, or not between these two places. */
const NOT_HERE: readonly string[] = [
  ...['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EACCES'],
  // What a file system that knows nothing of it says of the call that clones.
  'ENOTTY',
];
/** This one file cannot be linked any more, or not into this directory. */
const TOO_MANY_LINKS = 'EMLINK';
const GONE: readonly string[] = ['ENOENT', 'ENOTDIR'];

/**
 * The snapshots between which one of this name would stand: the latest earlier one, then the first later one. With the
 * first of them a new one shares its files; exports are taken in out of order.
 *
 * @param snapshots of the account, oldest first
 */
export function neighbours(snapshots: readonly SnapshotInfo[], name: string): SnapshotInfo[] {
  const stamp = parseSnapshotName(name);
  if (stamp === undefined) return [];
  const isEarlier = (snapshot: SnapshotInfo) => {
    const other = parseSnapshotName(snapshot.name);
    return other !== undefined && compareStamps(other, stamp) < 0;
  };
  const before = snapshots.findLast(isEarlier);
  const after = snapshots.find((snapshot) => !isEarlier(snapshot));
  return [before, after].filter((snapshot) => snapshot !== undefined);
}

/** How many files share what with another snapshot. */
export interface Shared {
  /** Hard links: one file with two names. */
  readonly linked: number;
  /** Files of their own in the same place on the disk (reflinks), where a link could not be made. */
  readonly cloned: number;
  /** Of both. */
  readonly bytes: number;
}

/**
 * Replaces staged files by hard links to equal files of another snapshot, or, where the file system has none (or no more
 * to this file), by clones of them that share their blocks (Btrfs, XFS, ZFS, SMB and NFS servers upon these). The earlier
 * file is read before it is trusted, so that one that has rotted on the disk does not displace the good copy. What can be
 * neither linked nor cloned stays a copy.
 *
 * At every moment each staged path holds its whole content: the link is made under another name, then renamed.
 */
export async function shareUnchanged(
  staging: string,
  files: readonly SnapshotFile[],
  base: SnapshotInfo,
  options: { logger: Logger; signal: AbortSignal | undefined },
): Promise<Shared> {
  const twinOf = await findTwins(base);
  const shared = { linked: 0, cloned: 0, bytes: 0 };
  const ways: Way[] = [LINK, CLONE];
  await using hasher = new FileHasher();
  await mapConcurrently([...files.entries()], FILES_AT_A_TIME, options.signal, async ([index, file], signal) => {
    const twin = ways.length > 0 ? twinOf(file) : undefined;
    if (twin === undefined) return;
    if (!(await isIntact(twin, file, hasher, signal))) {
      options.logger.warn(
        { snapshot: base.id, path: file.path },
        `A file of the earlier snapshot ${base.id} has changed or cannot be read; the new copy is kept in full. Run \`chatkeep verify ${base.id}\`.`,
      );
      return;
    }
    const way = await replaceBy(twin, join(staging, file.path), join(staging, OWN_DIRECTORY, `link-${index}`), ways);
    if (way === undefined) return;
    shared[way.name] += 1;
    shared.bytes += file.bytes;
  });
  return shared;
}

/** A way of having one content twice. */
interface Way {
  readonly name: 'linked' | 'cloned';
  /** Makes `copy` of `existing`; `staged` is what it is going to replace. */
  make(existing: string, copy: string, staged: string): Promise<void>;
}

const LINK: Way = { name: 'linked', make: link };
const CLONE: Way = {
  name: 'cloned',
  async make(existing, copy, staged) {
    await copyFile(existing, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    const { atime, mtime } = await lstat(staged);
    await utimes(copy, atime, mtime);
  },
};

/** For a file, the path of an equal one in `base`: of the same name first, else of any. */
async function findTwins(base: SnapshotInfo): Promise<(file: SnapshotFile) => string | undefined> {
  const shaOfPath = new Map<string, string>();
  const pathOfSha = new Map<string, string>();
  for (const { path, sha256 } of await readSumsOf(base.path)) {
    shaOfPath.set(path, sha256);
    if (!pathOfSha.has(sha256)) pathOfSha.set(sha256, path);
  }
  return ({ path, sha256 }) => {
    const twin = shaOfPath.get(path) === sha256 ? path : pathOfSha.get(sha256);
    return twin === undefined ? undefined : join(base.path, twin);
  };
}

async function isIntact(
  path: string,
  expected: SnapshotFile,
  hasher: FileHasher,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const stats = await lstat(path);
    if (!stats.isFile() || stats.size !== expected.bytes) return false;
    return (await hasher.sha256(path, signal, stats.size)) === expected.sha256;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/**
 * Replaces `target` in the first of the ways that is possible; from `ways` goes what the file system does not have.
 *
 * @param temporary a name that only this call uses
 * @returns the way; undefined if the target stays what it is
 */
async function replaceBy(existing: string, target: string, temporary: string, ways: Way[]): Promise<Way | undefined> {
  for (const way of [...ways]) {
    try {
      const outcome = await tryWay(way, existing, target, temporary);
      if (outcome === 'made') return way;
      if (outcome === 'gone') return undefined;
      if (outcome === 'not-here' && ways.includes(way)) ways.splice(ways.indexOf(way), 1);
    } finally {
      // rename(2) does nothing, and leaves both names, where both are the same file already.
      await rm(temporary, { force: true });
    }
  }
  return undefined;
}

async function tryWay(
  way: Way,
  existing: string,
  target: string,
  temporary: string,
): Promise<'made' | 'gone' | 'not-here' | 'too-many'> {
  try {
    await way.make(existing, temporary, target);
  } catch (error) {
    const code = errorCode(error) ?? errorMessage(error);
    if (GONE.includes(code)) return 'gone';
    if (NOT_HERE.includes(code)) return 'not-here';
    if (code === TOO_MANY_LINKS) return 'too-many';
    throw error;
  }
  try {
    await rename(temporary, target);
  } catch (error) {
    // Btrfs counts by directory, and may take the link in the one and not in the other.
    if (errorCode(error) === TOO_MANY_LINKS) return 'too-many';
    throw error;
  }
  return 'made';
}
