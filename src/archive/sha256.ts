import { createHash } from 'node:crypto';
import { sha256InThread } from '../lib/hash.ts';
import { inspectFolder } from './folder.ts';
import { readFolderEntry } from './folder-entry.ts';
import type { InspectOptions } from './inspect.ts';
import { isFolder } from './inspection.ts';

/**
 * The SHA-256 of the archive that lies at `path` now, as `unpackArchive` gives it; 64 hex digits.
 *
 * @throws ArchiveRefusal, for a folder that is not sound any more; what reading throws; the signal's reason
 */
export async function sha256OfArchive(path: string, options: InspectOptions): Promise<string> {
  if (!(await isFolder(path))) return sha256InThread(path, options.signal);
  const inspection = await inspectFolder(path, options);
  const files: { path: string; sha256: string }[] = [];
  for (const entry of inspection.entries) {
    const hash = createHash('sha256');
    await readFolderEntry(inspection.archive, entry, (chunk) => {
      options.signal?.throwIfAborted();
      hash.update(chunk);
    });
    files.push({ path: entry.path, sha256: hash.digest('hex') });
  }
  return sha256OfSums(files);
}

/**
 * What stands for the SHA-256 of a folder: that of the lines `<SHA-256>  <path>` of its files, sorted by the bytes of the
 * paths, as a snapshot's SHA256SUMS has them. Names with what SHA256SUMS would escape are refused, so that its lines are
 * these.
 */
export function sha256OfSums(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  const lines = files.map(({ path, sha256 }) => ({ key: Buffer.from(path), line: `${sha256}  ${path}\n` }));
  const hash = createHash('sha256');
  for (const { line } of lines.sort((a, b) => Buffer.compare(a.key, b.key))) hash.update(line);
  return hash.digest('hex');
}
