import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { FileHasher } from '../lib/hash.ts';
import { count } from '../lib/text.ts';
import { readMetadata, type SnapshotMetadata } from './metadata.ts';
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
  /** What the file should have, 64 hex digits; of files of the export alone. */
  readonly sha256?: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  /** Files that were read and are sound. */
  readonly checkedFiles: number;
  readonly checkedBytes: number;
  readonly problems: readonly VerifyProblem[];
}

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes read so far, and in all (as snapshot.json says, where it can be read). */
  readonly onProgress?: ((bytesDone: number, bytesTotal: number | undefined) => void) | undefined;
  /** Which files are read; of the others it is only seen that they are there. All, unless told. */
  readonly select?: ((sum: Sum) => boolean) | undefined;
  /** What files with several names turned out to hold: handed from snapshot to snapshot, each of them is read once. */
  readonly read?: ReadFiles | undefined;
  /** Called after a file was read: others may want the disk. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** The SHA-256 of files by what they are on the disk: `<device>:<inode>`. */
export type ReadFiles = Map<string, string>;

/**
 * Reads the files of a snapshot and compares them with SHA256SUMS; also looks for files that are missing or should not
 * be there, and whether snapshot.json and SHA256SUMS speak of the same number of files. A snapshot whose snapshot.json
 * is broken is verified like any other. Needs no lock and writes nothing. Large files are hashed in a thread.
 *
 * @throws the signal's reason; every other trouble is in the report
 */
export async function verifySnapshot(
  snapshot: { readonly path: string; readonly meta?: SnapshotMetadata },
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const { signal, onProgress, select } = options;
  const { sums, problems } = await readSums(snapshot.path);
  problems.push(...(await compareMetadata(snapshot.path, sums)));
  let checkedFiles = 0;
  let checkedBytes = 0;
  await using hasher = new FileHasher();
  for (const sum of sums) {
    signal?.throwIfAborted();
    const isSelected = select?.(sum) ?? true;
    const result = await checkFile(snapshot.path, sum, isSelected, { ...options, hasher });
    if ('kind' in result) {
      problems.push(result);
      continue;
    }
    if (!isSelected) continue;
    checkedFiles += 1;
    checkedBytes += result.bytes;
    onProgress?.(checkedBytes, snapshot.meta?.bytes);
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
  isSelected: boolean,
  { signal, read, pause, hasher }: VerifyOptions & { readonly hasher: FileHasher },
): Promise<VerifyProblem | { readonly bytes: number }> {
  const file = join(snapshot, path);
  try {
    const stats = await lstat(file, { bigint: true });
    if (!stats.isFile()) return { kind: 'changed', path, sha256, detail: `${path} is not a file any more.` };
    const bytes = Number(stats.size);
    if (!isSelected) return { bytes };
    const identity = stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : undefined;
    const known = identity === undefined ? undefined : read?.get(identity);
    const found = known ?? (await hasher.sha256(file, signal, bytes));
    if (identity !== undefined) read?.set(identity, found);
    if (known === undefined) await pause?.();
    if (found === sha256) return { bytes };
    return { kind: 'changed', path, sha256, detail: `${path} is not what was backed up: its SHA-256 is another.` };
  } catch (error) {
    signal?.throwIfAborted();
    return { ...unreadable(path, error), sha256 };
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
