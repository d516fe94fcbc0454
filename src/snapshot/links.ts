import { link, lstat, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently } from '../lib/concurrency.ts';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { sha256OfFile } from '../lib/hash.ts';
import type { Logger } from '../lib/logger.ts';
import type { SnapshotInfo } from './list.ts';
import { compareStamps, OWN_DIRECTORY, parseSnapshotName, SUMS_FILE } from './names.ts';
import { parseSums } from './sums.ts';

/** A file of a snapshot in the making. */
export interface SnapshotFile {
  /** POSIX, relative to the snapshot. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

const FILES_AT_A_TIME = 4;

/** The file system has no hard links (exFAT, many network shares), or not between these two places. */
const NO_LINKS_HERE: readonly string[] = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EACCES'];
/** This one file cannot be linked: it has too many links by now, or is gone. */
const NO_LINK_TO_THIS: readonly string[] = ['EMLINK', 'ENOENT', 'ENOTDIR'];

/**
 * The snapshot whose files a new one shares: the latest earlier one of the account, else (exports are taken in out of
 * order) the first later one.
 *
 * @param snapshots of the account, oldest first
 */
export function nearestSnapshot(snapshots: readonly SnapshotInfo[], name: string): SnapshotInfo | undefined {
  const stamp = parseSnapshotName(name);
  if (stamp === undefined) return undefined;
  const isEarlier = (snapshot: SnapshotInfo) => {
    const other = parseSnapshotName(snapshot.name);
    return other !== undefined && compareStamps(other, stamp) < 0;
  };
  return snapshots.findLast(isEarlier) ?? snapshots[0];
}

/**
 * Replaces staged files by hard links to equal files of another snapshot. The earlier file is read before it is trusted,
 * so that one that has rotted on the disk does not displace the good copy. What cannot be linked stays a copy.
 *
 * At every moment each staged path holds its whole content: the link is made under another name, then renamed.
 *
 * @returns the number of files and bytes that are shared now
 */
export async function linkUnchanged(
  staging: string,
  files: readonly SnapshotFile[],
  base: SnapshotInfo,
  options: { logger: Logger; signal: AbortSignal | undefined },
): Promise<{ files: number; bytes: number }> {
  const twinOf = await findTwins(base);
  const shared = { files: 0, bytes: 0 };
  let supported = true;
  await mapConcurrently([...files.entries()], FILES_AT_A_TIME, options.signal, async ([index, file], signal) => {
    const twin = supported ? twinOf(file) : undefined;
    if (twin === undefined) return;
    if (!(await isIntact(twin, file, signal))) {
      options.logger.warn(
        { snapshot: base.id, path: file.path },
        `A file of the earlier snapshot ${base.id} has changed or cannot be read; the new copy is kept in full. Run \`chatkeep verify ${base.id}\`.`,
      );
      return;
    }
    const outcome = await linkOver(twin, join(staging, file.path), join(staging, OWN_DIRECTORY, `link-${index}`));
    if (outcome === 'linked') {
      shared.files += 1;
      shared.bytes += file.bytes;
    }
    if (outcome === 'unsupported') supported = false;
  });
  return shared;
}

/** For a file, the path of an equal one in `base`: of the same name first, else of any. */
async function findTwins(base: SnapshotInfo): Promise<(file: SnapshotFile) => string | undefined> {
  const text = await readFile(join(base.path, SUMS_FILE), 'utf8').catch(() => '');
  const shaOfPath = new Map<string, string>();
  const pathOfSha = new Map<string, string>();
  for (const { path, sha256 } of parseSums(text).sums) {
    shaOfPath.set(path, sha256);
    if (!pathOfSha.has(sha256)) pathOfSha.set(sha256, path);
  }
  return ({ path, sha256 }) => {
    const twin = shaOfPath.get(path) === sha256 ? path : pathOfSha.get(sha256);
    return twin === undefined ? undefined : join(base.path, twin);
  };
}

async function isIntact(path: string, expected: SnapshotFile, signal: AbortSignal): Promise<boolean> {
  try {
    const stats = await lstat(path);
    return stats.isFile() && stats.size === expected.bytes && (await sha256OfFile(path, signal)) === expected.sha256;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function linkOver(
  existing: string,
  target: string,
  temporary: string,
): Promise<'linked' | 'kept' | 'unsupported'> {
  try {
    await link(existing, temporary);
  } catch (error) {
    const code = errorCode(error) ?? errorMessage(error);
    if (NO_LINKS_HERE.includes(code)) return 'unsupported';
    if (NO_LINK_TO_THIS.includes(code)) return 'kept';
    throw error;
  }
  try {
    await rename(temporary, target);
  } finally {
    // rename(2) does nothing, and leaves both names, where both are the same file already.
    await rm(temporary, { force: true });
  }
  return 'linked';
}
