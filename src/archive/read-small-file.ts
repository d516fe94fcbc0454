import { asStorageError } from '../lib/errors.ts';
import { readEntryData, reopenArchive } from './entry-data.ts';
import type { Inspection } from './inspect.ts';

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
  const entry = inspection.entries.find((candidate) => candidate.path === path);
  if (entry === undefined || entry.bytes > maxBytes) return undefined;
  const chunks: Buffer[] = [];
  try {
    await using file = await reopenArchive(inspection);
    await readEntryData(file, entry, undefined, async (chunk) => {
      chunks.push(chunk);
    });
  } catch (error) {
    throw asStorageError(error, 'read the archive', inspection.archive);
  }
  return Buffer.concat(chunks);
}
