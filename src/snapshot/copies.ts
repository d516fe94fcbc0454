import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from '../lib/hash.ts';
import { SUMS_FILE } from './names.ts';
import type { SnapshotPlace } from './place.ts';
import { parseSums } from './sums.ts';

/** A file of a snapshot that should have this content. */
export interface Copy {
  readonly snapshot: SnapshotPlace;
  /** POSIX, relative to the snapshot. */
  readonly path: string;
  /** Absolute. */
  readonly file: string;
}

/** Where each of these contents should be, by SHA-256, as SHA256SUMS of the snapshots say. */
export async function findCopies(
  wanted: ReadonlySet<string>,
  snapshots: readonly SnapshotPlace[],
): Promise<ReadonlyMap<string, readonly Copy[]>> {
  const found = new Map<string, Copy[]>();
  if (wanted.size === 0) return found;
  for (const snapshot of snapshots) {
    for (const { path, sha256 } of await readSumsOf(snapshot.path)) {
      if (!wanted.has(sha256)) continue;
      const copies = found.get(sha256) ?? [];
      copies.push({ snapshot, path, file: join(snapshot.path, path) });
      found.set(sha256, copies);
    }
  }
  return found;
}

/** The lines of a snapshot's SHA256SUMS that can be read; none where there is no such file. */
export async function readSumsOf(snapshot: string): Promise<ReturnType<typeof parseSums>['sums']> {
  return parseSums(await readFile(join(snapshot, SUMS_FILE), 'utf8').catch(() => '')).sums;
}

/**
 * Which file on the disk this is: `<device>:<inode>` of one with several names (hard links), else its path, since
 * network shares make inodes up. Undefined where there is no file.
 */
export async function identityOf(file: string): Promise<string | undefined> {
  const stats = await lstat(file, { bigint: true }).catch(() => undefined);
  if (stats?.isFile() !== true) return undefined;
  return stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : file;
}

/**
 * The first of these copies that is read and found sound.
 * @param isDamaged files on the disk that are known not to be
 * @throws the signal's reason
 */
export async function findSound(
  copies: readonly Copy[],
  sha256: string,
  isDamaged: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Copy | undefined> {
  for (const copy of copies) {
    const identity = await identityOf(copy.file);
    if (identity === undefined || identity === isDamaged) continue;
    if (await isSound(copy.file, sha256, signal)) return copy;
  }
  return undefined;
}

/**
 * Whether a file can be read and holds what it should.
 * @throws the signal's reason
 */
export async function isSound(file: string, sha256: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return (await sha256OfFile(file, signal)) === sha256;
  } catch {
    signal?.throwIfAborted();
    return false;
  }
}
