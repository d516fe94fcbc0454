import { stat } from 'node:fs/promises';
import { asStorageError } from '../lib/errors.ts';
import { type FolderInspection, inspectFolder } from './folder.ts';
import { type InspectOptions, inspectZip, type ZipInspection } from './inspect.ts';

/** An archive that has been checked as far as can be before a byte of its files is read: a ZIP, or a folder of one. */
export type Inspection = ZipInspection | FolderInspection;

/** What all archives tell of a file. */
export type InspectionEntry = Inspection['entries'][number];

/**
 * Checks an archive of either form, before a byte is written.
 *
 * @throws ArchiveRefusal with the reason and the entry; ChatkeepError `storage`; the signal's reason
 */
export async function inspectArchive(path: string, options: InspectOptions): Promise<Inspection> {
  return (await isFolder(path)) ? inspectFolder(path, options) : inspectZip(path, options);
}

/** Whether the archive is one that was unpacked already. @throws ChatkeepError `storage` */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw asStorageError(error, 'read the archive', path);
  }
}
