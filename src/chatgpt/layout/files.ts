import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../lib/errors.ts';

/** A file of an export. */
export interface ExportFile {
  /** POSIX, relative to the export's directory. */
  readonly path: string;
  readonly bytes: number;
}

/** Ours, and what Macs put into ZIPs. */
const NOT_THE_EXPORTS: ReadonlySet<string> = new Set(['.chatkeep', '__MACOSX']);

/**
 * Every file of an export, sorted by path; links are not followed.
 * @throws what the file system says; the signal's reason
 */
export async function listFiles(directory: string, signal: AbortSignal | undefined): Promise<ExportFile[]> {
  const files: ExportFile[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal?.throwIfAborted();
    for (const entry of await readdir(join(directory, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !NOT_THE_EXPORTS.has(entry.name)) folders.push(path);
      else if (entry.isFile()) files.push({ path, bytes: await bytesOf(join(directory, path)) });
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A file may go while it is looked at. */
async function bytesOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
