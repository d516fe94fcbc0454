import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { sha256OfFile } from '../lib/hash.ts';
import { count } from '../lib/text.ts';
import type { SnapshotInfo } from './list.ts';
import { readMetadata } from './metadata.ts';
import { METADATA_FILE, SUMS_FILE } from './names.ts';
import { parseSums, type Sum } from './sums.ts';
import { walkTree } from './tree.ts';

export interface VerifyProblem {
  /** `unreadable`: the disk or the permissions do not let us tell. */
  readonly kind: 'changed' | 'missing' | 'extra' | 'unreadable';
  /** POSIX, relative to the snapshot. */
  readonly path: string;
  /** A sentence for the user. */
  readonly detail: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly checkedFiles: number;
  readonly checkedBytes: number;
  readonly problems: readonly VerifyProblem[];
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  /** Bytes read so far, and in all (as snapshot.json says). */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

/**
 * Reads every file of a snapshot and compares it with SHA256SUMS; also looks for files that should not be there, and
 * whether snapshot.json and SHA256SUMS speak of the same number of files. Needs no lock and writes nothing.
 *
 * @throws the signal's reason; every other trouble is in the report
 */
export async function verifySnapshot(
  snapshot: Pick<SnapshotInfo, 'path' | 'meta'>,
  { signal, onProgress }: VerifyOptions = {},
): Promise<VerifyReport> {
  const { sums, problems } = await readSums(snapshot.path);
  problems.push(...(await compareMetadata(snapshot.path, sums)));
  let checkedFiles = 0;
  let checkedBytes = 0;
  for (const sum of sums) {
    signal?.throwIfAborted();
    const result = await checkFile(snapshot.path, sum, signal);
    if ('kind' in result) {
      problems.push(result);
      continue;
    }
    checkedFiles += 1;
    checkedBytes += result.bytes;
    onProgress?.(checkedBytes, snapshot.meta.bytes);
  }
  problems.push(...(await findExtra(snapshot.path, sums)));
  return { ok: problems.length === 0, checkedFiles, checkedBytes, problems };
}

async function readSums(snapshot: string): Promise<{ sums: readonly Sum[]; problems: VerifyProblem[] }> {
  try {
    const { sums, badLines } = parseSums(await readFile(join(snapshot, SUMS_FILE), 'utf8'));
    const problems = badLines.map((line): VerifyProblem => {
      return { kind: 'changed', path: SUMS_FILE, detail: `Line ${line} of ${SUMS_FILE} is not a checksum and a path.` };
    });
    return { sums, problems };
  } catch (error) {
    return { sums: [], problems: [unreadable(SUMS_FILE, error)] };
  }
}

async function compareMetadata(snapshot: string, sums: readonly Sum[]): Promise<VerifyProblem[]> {
  const reading = await readMetadata(snapshot);
  if (reading.kind === 'none') {
    return [{ kind: 'missing', path: METADATA_FILE, detail: `${METADATA_FILE} is missing.` }];
  }
  if (reading.kind === 'damaged') return [{ kind: 'changed', path: METADATA_FILE, detail: reading.problem }];
  const expected = reading.metadata.files;
  if (expected === sums.length) return [];
  const detail = `${METADATA_FILE} speaks of ${count(expected, 'file')}, ${SUMS_FILE} of ${count(sums.length, 'file')}.`;
  return [{ kind: 'changed', path: METADATA_FILE, detail }];
}

async function checkFile(
  snapshot: string,
  { path, sha256 }: Sum,
  signal: AbortSignal | undefined,
): Promise<VerifyProblem | { readonly bytes: number }> {
  const file = join(snapshot, path);
  try {
    const stats = await lstat(file);
    if (!stats.isFile()) return { kind: 'changed', path, detail: `${path} is not a file any more.` };
    if ((await sha256OfFile(file, signal)) === sha256) return { bytes: stats.size };
    return { kind: 'changed', path, detail: `${path} is not what was backed up: its SHA-256 is another.` };
  } catch (error) {
    signal?.throwIfAborted();
    return unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): VerifyProblem {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR'
    ? { kind: 'missing', path, detail: `${path} is missing.` }
    : { kind: 'unreadable', path, detail: `${path} cannot be read: ${errorMessage(error)}.` };
}

async function findExtra(snapshot: string, sums: readonly Sum[]): Promise<VerifyProblem[]> {
  const known = new Set([SUMS_FILE, METADATA_FILE, ...sums.map(({ path }) => path)]);
  try {
    return (await walkTree(snapshot))
      .filter(({ path, kind }) => kind !== 'directory' && !known.has(path))
      .map(({ path }) => ({ kind: 'extra', path, detail: `${path} was not in the backup.` }));
  } catch (error) {
    return [unreadable('.', error)];
  }
}
