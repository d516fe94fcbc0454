import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError, ChatkeepError, errorCode } from '../lib/errors.ts';
import { exists } from '../lib/files.ts';
import { type MetadataReading, readMetadata } from './metadata.ts';
import {
  compareStamps,
  isAccountDirectory,
  LATEST,
  METADATA_FILE,
  OWN_DIRECTORY,
  parseSnapshotName,
  README_FILE,
  SUMS_FILE,
} from './names.ts';
import type { SnapshotInfo, SnapshotPlace } from './place.ts';
import { listUnchanged, type UnchangedExport } from './unchanged.ts';

/** A snapshot whose snapshot.json cannot be used. Its files can be verified and restored all the same. */
export interface DamagedSnapshot extends SnapshotPlace {
  /** A sentence for the user. */
  readonly problem: string;
}

export interface SnapshotList {
  /** Newest last, by the time of the export. */
  readonly snapshots: readonly SnapshotInfo[];
  /** Exports that hold the very files of one of these snapshots; newest last. */
  readonly unchanged: readonly UnchangedExport[];
  /** Paths of what is neither a snapshot nor ours. Left alone. */
  readonly strangers: readonly string[];
  readonly damaged: readonly DamagedSnapshot[];
  /** Records of unchanged exports that cannot be used; each with a sentence for the user. */
  readonly damagedRecords: readonly { readonly path: string; readonly problem: string }[];
}

/**
 * All snapshots of a backup directory, as they lie on the disk. Needs no lock and writes nothing.
 *
 * @throws ChatkeepError `not-found` where there is no such directory, `storage` where it cannot be read
 */
export async function listSnapshots(backups: string): Promise<SnapshotList> {
  const list: Listing = { snapshots: [], unchanged: [], strangers: [], damaged: [], damagedRecords: [] };
  for (const entry of await readBackups(backups)) {
    if (entry.name === OWN_DIRECTORY || entry.name === README_FILE) continue;
    if (entry.isDirectory() && isAccountDirectory(entry.name)) await listAccount(backups, entry.name, list);
    else list.strangers.push(join(backups, entry.name));
  }
  list.snapshots.sort((a, b) => compareNames(a.name, b.name) || (a.account < b.account ? -1 : 1));
  list.unchanged.sort((a, b) => a.meta.exportTime - b.meta.exportTime);
  return list;
}

interface Listing {
  readonly snapshots: SnapshotInfo[];
  readonly unchanged: UnchangedExport[];
  readonly strangers: string[];
  readonly damaged: DamagedSnapshot[];
  readonly damagedRecords: { readonly path: string; readonly problem: string }[];
}

/** Snapshot names, oldest first. */
export function compareNames(a: string, b: string): number {
  const [stampA, stampB] = [parseSnapshotName(a), parseSnapshotName(b)];
  return stampA === undefined || stampB === undefined ? 0 : compareStamps(stampA, stampB);
}

async function readBackups(backups: string): Promise<Dirent[]> {
  try {
    return await readdir(backups, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      throw new ChatkeepError('not-found', `There is no backup directory at ${backups}.`, {
        next: 'Check backup_dir and whether its disk is mounted; the service makes the directory when it first starts.',
        cause: error,
      });
    }
    throw asStorageError(error, 'read the backup directory', backups);
  }
}

async function listAccount(backups: string, account: string, list: Listing): Promise<void> {
  const directory = join(backups, account);
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    list.strangers.push(directory);
    return;
  }
  const strangers: string[] = [];
  const read: SnapshotInfo[] = [];
  let snapshots = 0;
  for (const { name } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (name === LATEST || name === OWN_DIRECTORY) continue;
    const place: SnapshotPlace = { id: `${account}/${name}`, account, name, path: join(directory, name) };
    const reading = await readSnapshot(place);
    if (reading.kind === 'none') strangers.push(place.path);
    else snapshots += 1;
    if (reading.kind === 'damaged') list.damaged.push({ ...place, problem: reading.problem });
    if (reading.kind === 'read') read.push({ ...place, meta: reading.metadata });
  }
  list.snapshots.push(...read);
  const records = await listUnchanged(directory, account, read);
  list.unchanged.push(...records.unchanged);
  list.damagedRecords.push(...records.damaged);
  strangers.push(...records.strangers);
  // A directory that holds other things only is a stranger as a whole (lost+found, a share's recycle bin).
  list.strangers.push(...(snapshots === 0 && strangers.length > 0 ? [directory] : strangers));
}

/** What has checksums of ours was a snapshot, and is a damaged one where its snapshot.json is gone. */
async function readSnapshot({ name, path }: SnapshotPlace): Promise<MetadataReading> {
  if (parseSnapshotName(name) === undefined) return { kind: 'none' };
  const reading = await readMetadata(path);
  if (reading.kind !== 'none') return reading;
  const hasSums = await exists(join(path, SUMS_FILE)).catch(() => false);
  return hasSums ? { kind: 'damaged', problem: `${METADATA_FILE} is missing.` } : reading;
}
