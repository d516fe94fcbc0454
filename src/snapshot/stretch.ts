import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSumsOf } from './copies.ts';
import type { SnapshotPlace } from './place.ts';

/**
 * A stretch of all contents that there can be, ordered by their SHA-256: by its first 16 bits, around in a circle. That
 * spreads the files evenly and lets a sample go on where the last one ended, with one number to remember.
 */
export interface Stretch {
  /** 0 to 65,535. */
  readonly from: number;
  /** 1 to 65,536. */
  readonly length: number;
}

const CIRCLE = 65_536;

export const WHOLE_CIRCLE: Stretch = { from: 0, length: CIRCLE };

/** Whether a content (64 hex digits) is in the stretch. */
export function isInStretch({ from, length }: Stretch, sha256: string): boolean {
  return (pointOf(sha256) - from + CIRCLE) % CIRCLE < length;
}

/** Where the stretch after this one begins. */
export function endOfStretch({ from, length }: Stretch): number {
  return (from + length) % CIRCLE;
}

/**
 * The stretch from `from` on that holds the given share of all bytes of the snapshots, a file with several names being
 * counted once; at least one file, if there is any.
 *
 * @param share 0 to 1
 * @throws the signal's reason
 */
export async function nextStretch(
  snapshots: readonly SnapshotPlace[],
  { from, share, signal }: { from: number; share: number; signal?: AbortSignal | undefined },
): Promise<Stretch> {
  const bytesAt = await weigh(snapshots, signal);
  const wanted = share * bytesAt.reduce((sum, bytes) => sum + bytes, 0);
  let bytes = 0;
  for (let length = 1; length < CIRCLE; length += 1) {
    bytes += bytesAt[(from + length - 1) % CIRCLE] ?? 0;
    if (bytes > 0 && bytes >= wanted) return { from, length };
  }
  return { from, length: CIRCLE };
}

/** A file of n names is met n times, and counts for an nth each time. An empty one counts, too. */
async function weigh(snapshots: readonly SnapshotPlace[], signal: AbortSignal | undefined): Promise<Float64Array> {
  const bytesAt = new Float64Array(CIRCLE);
  for (const { path: snapshot } of snapshots) {
    for (const { path, sha256 } of await readSumsOf(snapshot)) {
      signal?.throwIfAborted();
      const stats = await lstat(join(snapshot, path)).catch(() => undefined);
      if (stats === undefined) continue;
      const point = pointOf(sha256);
      bytesAt[point] = (bytesAt[point] ?? 0) + Math.max(1, stats.size) / Math.max(1, stats.nlink);
    }
  }
  return bytesAt;
}

function pointOf(sha256: string): number {
  return Number.parseInt(sha256.slice(0, 4), 16);
}
