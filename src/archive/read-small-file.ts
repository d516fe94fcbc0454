import { asStorageError } from '../lib/errors.ts';
import { readEntryData, reopenArchive } from './entry-data.ts';
import { readFolderEntry } from './folder.ts';
import type { Inspection, InspectionEntry } from './inspection.ts';

/**
 * One small file of an inspected archive, checked against its size and CRC-32, without unpacking the rest.
 *
 * @param path as in {@link Inspection.entries}
 * @returns undefined where there is none of that name, or it is larger than `maxBytes`
 * @throws ArchiveRefusal; ChatkeepError `storage`
 */
export async function readSmallFile(
  inspection: Inspection,
  path: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  const keep = async (chunk: Buffer) => {
    chunks.push(Buffer.from(chunk));
  };
  const isWanted = (entry: InspectionEntry) => entry.path === path && entry.bytes <= maxBytes;
  try {
    if (inspection.form === 'folder') {
      const entry = inspection.entries.find(isWanted);
      if (entry === undefined) return undefined;
      await readFolderEntry(inspection, entry, undefined, keep);
    } else {
      const entry = inspection.entries.find(isWanted);
      if (entry === undefined) return undefined;
      await using file = await reopenArchive(inspection);
      await readEntryData(file, entry, undefined, keep);
    }
  } catch (error) {
    throw asStorageError(error, 'read the archive', inspection.archive);
  }
  return Buffer.concat(chunks);
}
