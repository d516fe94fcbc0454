import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError } from '../lib/errors.ts';
import { PRIVATE_DIRECTORY_MODE } from '../lib/files.ts';
import { type ArchiveBudgets, inspectZip } from './inspect.ts';
import type { Inspection } from './inspection.ts';
import { NameRegistry } from './names.ts';
import { ArchiveRefusal, refuseEntry } from './refusal.ts';
import { type Unpacked, type UnpackedFile, unpackArchive } from './unpack.ts';

/** A ZIP that lay in the archive and was opened: a folder of its name, without `.zip`, has its place. */
export interface OpenedArchive {
  /** POSIX, of the ZIP that was. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

export interface OpenInnerOptions {
  /** Where the archive was unpacked. */
  readonly target: string;
  /** For the archive and all that is opened in it together. */
  readonly budgets: ArchiveBudgets;
  /** Which files of the archive are to be opened. */
  readonly isInner: (path: string) => boolean;
  readonly signal?: AbortSignal;
}

const ZIP_ENDING = '.zip';

/**
 * Opens ZIPs in an archive that was unpacked, one level deep: each is checked and unpacked as the archive was, and its
 * content takes its place. A ZIP in such a ZIP stays as it is.
 *
 * @returns the files that are in the target now, and the ZIPs that are not any more
 * @throws ArchiveRefusal, whose message names the inner ZIP; ChatkeepError `storage`; the signal's reason
 */
export async function openInnerArchives(
  outer: Inspection,
  { files }: Unpacked,
  options: OpenInnerOptions,
): Promise<{ files: UnpackedFile[]; opened: OpenedArchive[] }> {
  const { target, budgets, isInner, signal } = options;
  const names = new NameRegistry();
  for (const directory of outer.directories) names.add(directory, 'directory');
  for (const { path } of files) names.add(path, 'file');
  let entriesLeft = budgets.maxEntries - outer.entries.length;
  let bytesLeft = budgets.maxUnpackedBytes - outer.unpackedBytes;
  const all: UnpackedFile[] = [];
  const opened: OpenedArchive[] = [];
  for (const file of files) {
    if (!file.path.endsWith(ZIP_ENDING) || !isInner(file.path)) {
      all.push(file);
      continue;
    }
    const folder = file.path.slice(0, -ZIP_ENDING.length);
    if (names.add(folder, 'directory') !== undefined || outer.directories.includes(folder)) {
      throw refuseEntry('duplicate-name', file.path, 'cannot be opened: there is something else of its name already');
    }
    try {
      const zip = join(target, file.path);
      const inspection = await inspectZip(zip, {
        budgets: { ...budgets, maxEntries: entriesLeft, maxUnpackedBytes: bytesLeft },
        ...(signal === undefined ? {} : { signal }),
      });
      entriesLeft -= inspection.entries.length;
      bytesLeft -= inspection.unpackedBytes;
      const place = join(target, folder);
      await mkdir(place, { mode: PRIVATE_DIRECTORY_MODE });
      const inner = await unpackArchive(inspection, { target: place, ...(signal === undefined ? {} : { signal }) });
      for (const each of inner.files) all.push({ ...each, path: `${folder}/${each.path}` });
      opened.push({ path: file.path, bytes: file.bytes, sha256: file.sha256 });
      await rm(zip);
    } catch (error) {
      throw inThe(file.path, asStorageError(error, 'unpack the archive into', target));
    }
  }
  return { files: all, opened };
}

function inThe(path: string, error: unknown): unknown {
  if (!(error instanceof ArchiveRefusal)) return error;
  const message = `In "${path}", which lies in the archive: ${error.message}`;
  const { reason, entry } = error;
  return new ArchiveRefusal(reason, message, entry === undefined ? { cause: error } : { entry, cause: error });
}
