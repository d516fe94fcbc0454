import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { answerOf } from '../lib/ask-thread.ts';
import {
  makePrivateDirectory,
  PRIVATE_DIRECTORY_MODE,
  removeTree,
  syncDirectory,
  writeFileDurably,
} from '../lib/files.ts';
import type { Logger } from '../lib/logger.ts';
import { programBeside } from '../lib/program-beside.ts';
import { redactText } from '../lib/secret.ts';
import { syncTree } from '../lib/sync-tree.ts';
import { readSumsOf } from './copies.ts';
import { type KeptExport, keptExports } from './kept.ts';
import { updateLatest } from './latest.ts';
import { neighbours, type SnapshotFile, shareUnchanged } from './links.ts';
import { listSnapshots } from './list.ts';
import { FORMAT, formatMetadata, type Provenance, type SnapshotMetadata, type SnapshotSource } from './metadata.ts';
import { accountDirectory, METADATA_FILE, OWN_DIRECTORY, SUMS_FILE, snapshotName } from './names.ts';
import type { SnapshotInfo } from './place.ts';
import { type Draft, SNAPSHOT_FILE_MODE, seal } from './seal.ts';
import { formatSums } from './sums.ts';
import { freeName } from './tree.ts';
import { recordUnchanged, type UnchangedExport } from './unchanged.ts';
import { verifySnapshot } from './verify.ts';

/** What is to become a snapshot. Its files lie in the capture's staging directory. */
export interface SnapshotDraft {
  /** The capture's id, which also names the staging directory. */
  readonly capture: string;
  /** The account's name or email address; {@link accountDirectory} makes the directory of it. */
  readonly account: string;
  readonly exportId: string | undefined;
  /** When the export was made, ms UTC. */
  readonly exportTime: number;
  readonly source: SnapshotSource;
  readonly archive: {
    readonly form: 'zip' | 'folder';
    /** 64 hex digits; of a folder, that of the lines of SHA256SUMS. */
    readonly sha256: string;
    readonly bytes: number;
    /** ZIPs that lay in it; their content lies in folders of their names. */
    readonly opened?: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  };
  /** All files in the staging directory, and no other. */
  readonly files: readonly SnapshotFile[];
  /**
   * Finds out what is in it, by reading the staging directory. Called once it is known that the export is not kept
   * already; what it throws fails the commit.
   */
  readonly describe: () => Promise<ContentDescription>;
  /** ms UTC. */
  readonly takenAt: number;
}

/** What is in an export. */
export interface ContentDescription {
  readonly counts: Readonly<Record<string, number>>;
  /** Sentences for the user; what looks like an address is cut out of them. */
  readonly findings: readonly string[];
}

export type CommitResult =
  | { readonly kind: 'committed'; readonly snapshot: SnapshotInfo }
  /** The same export is kept in this snapshot already; the staging directory is gone. */
  | { readonly kind: 'duplicate'; readonly of: SnapshotInfo }
  /** Another export with the very files of the snapshot beside it: that is on record now, and the staging directory gone. */
  | UnchangedExport;

export interface CommitPlace {
  readonly backups: string;
  /** The directory of all staging directories. */
  readonly stagingRoot: string;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
}

/** Sealed in less time than it takes to start a thread. */
const FEW_FILES = 1000;

/**
 * Turns a staging directory into a snapshot, unless what is in it is kept already. One rename commits: before it there is
 * only a staging directory, after it the whole snapshot (or the whole record of an unchanged export); killed anywhere, a
 * second commit of the same capture comes to the same result.
 *
 * @param staging the capture's staging directory
 */
export async function commitSnapshot(draft: SnapshotDraft, staging: string, place: CommitPlace): Promise<CommitResult> {
  const account = accountDirectory(draft.account);
  const list = await listSnapshots(place.backups);
  const kept = keptExports(list);
  const known = kept.find(({ meta }) => meta.capture === draft.capture);
  if (known !== undefined) {
    await removeTree(staging);
    await updateLatest(join(place.backups, known.snapshot.account), place.stagingRoot, place.logger);
    return known.kind === 'unchanged' ? known : { kind: 'committed', snapshot: known.snapshot };
  }
  const sums = formatSums(draft.files);
  const duplicate = await findDuplicate(kept, account, draft, sums, place.signal);
  if (duplicate !== undefined) {
    await removeTree(staging);
    return { kind: 'duplicate', of: duplicate };
  }

  const name = await freeName(join(place.backups, account), (ordinal) => snapshotName(draft.exportTime, ordinal));
  const ofAccount = list.snapshots.filter((other) => other.account === account);
  await sealStaged(staging, draft.files, place.signal);
  const beside = neighbours(ofAccount, name);
  const equal = await findEqual(beside, sums, place.signal);
  if (equal !== undefined) {
    const where = { scratch: place.stagingRoot, mode: SNAPSHOT_FILE_MODE };
    const unchanged = await recordUnchanged(provenanceOf(draft), equal, join(place.backups, account), where);
    await removeTree(staging);
    return unchanged;
  }

  // An earlier try may have left half of it.
  await removeTree(join(staging, OWN_DIRECTORY));
  const content = await draft.describe();
  await mkdir(join(staging, OWN_DIRECTORY), { mode: PRIVATE_DIRECTORY_MODE });
  const linkedFiles = await shareFiles(draft, staging, beside[0], place);
  const meta = metadataOf(draft, content, { id: `${account}/${name}`, linkedFiles });
  await writeFileDurably(join(staging, SUMS_FILE), sums, SNAPSHOT_FILE_MODE);
  await writeFileDurably(join(staging, METADATA_FILE), formatMetadata(meta), SNAPSHOT_FILE_MODE);
  await syncTree(staging, place.signal);
  const path = await moveIntoPlace(staging, account, name, place);
  await updateLatest(join(place.backups, account), place.stagingRoot, place.logger);
  return { kind: 'committed', snapshot: { id: meta.id, account, name, path, meta } };
}

/** The snapshot that holds the same export: the same archive, the same name of it, or its content at its second. */
async function findDuplicate(
  kept: readonly KeptExport[],
  account: string,
  draft: SnapshotDraft,
  sums: string,
  signal: AbortSignal | undefined,
): Promise<SnapshotInfo | undefined> {
  const sameExport = kept.filter(
    ({ meta }) =>
      meta.archive.sha256 === draft.archive.sha256 || (meta.exportId !== undefined && meta.exportId === draft.exportId),
  );
  const candidates = new Set(sameExport.map(({ snapshot }) => snapshot));
  for (const candidate of candidates) {
    if (await isSoundSnapshot(candidate, signal)) return candidate;
  }
  // The same export may come as two archives: fetched, and packed again by hand.
  const stamp = snapshotName(draft.exportTime);
  const sameSecond = kept
    .filter(({ meta, snapshot }) => snapshot.account === account && snapshotName(meta.exportTime) === stamp)
    .map(({ snapshot }) => snapshot)
    .filter((snapshot) => !candidates.has(snapshot));
  return findEqual(sameSecond, sums, signal);
}

/** The first of these snapshots of whose SHA256SUMS this is the text, and of which each file was read and is sound. */
async function findEqual(
  snapshots: readonly SnapshotInfo[],
  wanted: string,
  signal: AbortSignal | undefined,
): Promise<SnapshotInfo | undefined> {
  for (const snapshot of snapshots) {
    if (formatSums(await readSumsOf(snapshot.path)) === wanted && (await isSoundSnapshot(snapshot, signal)))
      return snapshot;
  }
  return undefined;
}

/** A snapshot that has rotted is no reason to throw away a sound copy. */
async function isSoundSnapshot(snapshot: SnapshotInfo, signal: AbortSignal | undefined): Promise<boolean> {
  return (await verifySnapshot(snapshot, signal === undefined ? {} : { signal })).ok;
}

function provenanceOf(draft: SnapshotDraft): Provenance {
  const { form, sha256, bytes, opened = [] } = draft.archive;
  return {
    capture: draft.capture,
    account: draft.account,
    ...(draft.exportId === undefined ? {} : { exportId: draft.exportId }),
    exportTime: draft.exportTime,
    takenAt: draft.takenAt,
    source: draft.source,
    archive: {
      sha256,
      bytes,
      ...(form === 'folder' ? { form } : {}),
      ...(opened.length === 0 ? {} : { opened: [...opened] }),
    },
  };
}

function metadataOf(
  draft: SnapshotDraft,
  { counts, findings }: ContentDescription,
  known: Pick<SnapshotMetadata, 'id' | 'linkedFiles'>,
): SnapshotMetadata {
  return {
    format: FORMAT,
    ...known,
    ...provenanceOf(draft),
    files: draft.files.length,
    bytes: draft.files.reduce((sum, { bytes }) => sum + bytes, 0),
    counts: { ...counts },
    findings: findings.map(redactText),
  };
}

/**
 * As {@link seal}, in a thread where there is more to do than it takes to start one.
 *
 * @throws as {@link seal}; the signal's reason
 */
async function sealStaged(
  staging: string,
  files: readonly SnapshotFile[],
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const draft: Draft = { staging, files: new Map(files.map(({ path, bytes }) => [path, bytes])) };
  if (files.length <= FEW_FILES) {
    seal(draft);
    return;
  }
  const file = programBeside(import.meta.url, './seal-thread');
  const thread = new Worker(file, { workerData: draft, env: {} });
  try {
    await answerOf(thread, signal);
  } finally {
    await thread.terminate();
  }
}

/** Gives the number of files that are hard links now. */
async function shareFiles(
  draft: SnapshotDraft,
  staging: string,
  base: SnapshotInfo | undefined,
  { logger, signal }: CommitPlace,
): Promise<number> {
  if (base === undefined) return 0;
  const shared = await shareUnchanged(staging, draft.files, base, { logger, signal });
  logger.debug({ snapshot: base.id, ...shared }, 'Unchanged files are shared with another snapshot.');
  return shared.linked;
}

async function moveIntoPlace(staging: string, account: string, name: string, place: CommitPlace): Promise<string> {
  const accountPath = join(place.backups, account);
  const path = join(accountPath, name);
  await makePrivateDirectory(accountPath);
  await rename(staging, path);
  await syncDirectory(accountPath);
  await syncDirectory(place.stagingRoot);
  return path;
}
