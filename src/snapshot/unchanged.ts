import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { makePrivateDirectory, syncDirectory, writeFileDurably } from '../lib/files.ts';
import { sha256OfFile } from '../lib/hash.ts';
import { FORMAT, formatUnchanged, type Provenance, readUnchanged, type UnchangedMetadata } from './metadata.ts';
import { isRecordName, recordName, SUMS_FILE, UNCHANGED_DIRECTORY } from './names.ts';
import type { SnapshotInfo, SnapshotPlace } from './place.ts';
import { freeName } from './tree.ts';

/** An export that was found to hold the very files of a snapshot, so that no second one was made. */
export interface UnchangedExport {
  readonly kind: 'unchanged';
  /** `<account>/.chatkeep/unchanged/<time of the export>.json`, from where the record lies. */
  readonly id: string;
  readonly meta: UnchangedMetadata;
  /** The snapshot that holds its files. */
  readonly snapshot: SnapshotInfo;
}

/** What lies among an account's records. */
export interface UnchangedList {
  /** Those that hold: of which the snapshot is there, with the content that was compared. */
  readonly unchanged: UnchangedExport[];
  /** Records that cannot be used; each with its path and a sentence for the user. */
  readonly damaged: { readonly path: string; readonly problem: string }[];
  /** Paths of what is not ours. */
  readonly strangers: string[];
}

/**
 * The records below an account's directory. One whose snapshot is gone, or is another by now, counts for nothing: what
 * it vouched for may not be there any more.
 *
 * @param snapshots of the account
 */
export async function listUnchanged(
  accountPath: string,
  account: string,
  snapshots: readonly SnapshotInfo[],
): Promise<UnchangedList> {
  const list: UnchangedList = { unchanged: [], damaged: [], strangers: [] };
  const directory = join(accountPath, UNCHANGED_DIRECTORY);
  const names = await recordsIn(accountPath).catch((error: unknown) => {
    list.damaged.push({ path: directory, problem: `It cannot be read: ${errorMessage(error)}.` });
    return [];
  });
  for (const name of names) {
    const path = join(directory, name);
    if (!isRecordName(name)) {
      list.strangers.push(path);
      continue;
    }
    const reading = await readUnchanged(path);
    if (reading.kind === 'damaged') list.damaged.push({ path, problem: reading.problem });
    if (reading.kind !== 'read') continue;
    const { metadata } = reading;
    const snapshot = snapshots.find((each) => each.name === metadata.snapshot);
    if (snapshot === undefined || (await knownDigestOfSums(snapshot)) !== metadata.sums) continue;
    const id = `${account}/${UNCHANGED_DIRECTORY}/${name}`;
    list.unchanged.push({ kind: 'unchanged', id, meta: metadata, snapshot });
  }
  return list;
}

/**
 * Records, durably and in one step, that an export holds the very files of a snapshot: before it nothing is there, after
 * it the whole record.
 *
 * @param scratch a directory on the same file system that is emptied at each start, for the record in the making
 */
export async function recordUnchanged(
  provenance: Provenance,
  snapshot: SnapshotInfo,
  accountPath: string,
  { scratch, mode }: { readonly scratch: string; readonly mode: number },
): Promise<UnchangedExport> {
  const directory = join(accountPath, UNCHANGED_DIRECTORY);
  await makePrivateDirectory(directory);
  const sums = await digestOfSums(snapshot);
  if (sums === undefined) throw new Error(`${snapshot.id} has no ${SUMS_FILE}`);
  const meta = { format: FORMAT, ...provenance, snapshot: snapshot.name, sums } as const;
  const name = await freeName(directory, (ordinal) => recordName(meta.exportTime, ordinal));
  await writeFileDurably(join(directory, name), formatUnchanged(meta), mode, join(scratch, 'unchanged.json'));
  return { kind: 'unchanged', id: `${snapshot.account}/${UNCHANGED_DIRECTORY}/${name}`, meta, snapshot };
}

/** Deletes the records that speak of a snapshot which is gone. */
export async function forgetUnchanged(accountPath: string, snapshotName: string): Promise<void> {
  const directory = join(accountPath, UNCHANGED_DIRECTORY);
  const records = (await recordsIn(accountPath)).filter(isRecordName);
  for (const name of records) {
    const reading = await readUnchanged(join(directory, name));
    if (reading.kind === 'read' && reading.metadata.snapshot === snapshotName) await rm(join(directory, name));
  }
  if (records.length > 0) await syncDirectory(directory);
}

async function recordsIn(accountPath: string): Promise<string[]> {
  try {
    return (await readdir(join(accountPath, UNCHANGED_DIRECTORY))).sort();
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** What stands for all that a snapshot holds: the SHA-256 of its SHA256SUMS. Undefined where that cannot be read. */
export async function digestOfSums({ path }: SnapshotPlace): Promise<string | undefined> {
  return sha256OfFile(join(path, SUMS_FILE)).catch(() => undefined);
}

/** What SHA256SUMS of snapshots were found to hold, by their paths. */
const KNOWN_DIGESTS = new Map<string, { readonly state: string; readonly digest: string }>();

/** {@link digestOfSums}, which is read once for each state of the file: whoever looks at the page asks for it again and again. */
async function knownDigestOfSums(snapshot: SnapshotPlace): Promise<string | undefined> {
  const file = join(snapshot.path, SUMS_FILE);
  const stats = await stat(file, { bigint: true }).catch(() => undefined);
  if (stats === undefined) return undefined;
  const state = [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(' ');
  const known = KNOWN_DIGESTS.get(file);
  if (known?.state === state) return known.digest;
  const digest = await digestOfSums(snapshot);
  if (digest !== undefined) KNOWN_DIGESTS.set(file, { state, digest });
  return digest;
}
