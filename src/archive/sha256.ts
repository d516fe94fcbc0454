import { createHash } from 'node:crypto';
import { both } from '../lib/both.ts';
import { sha256InThread } from '../lib/hash.ts';
import { inspectFolder, readFolderEntry } from './folder.ts';
import type { InspectOptions } from './inspect.ts';
import { type Inspection, isFolder } from './inspection.ts';
import { type UnpackedFile, type UnpackOptions, unpackArchive } from './unpack.ts';

/**
 * {@link unpackArchive}, and the archive's SHA-256 (64 hex digits). A ZIP is hashed meanwhile; for a folder stands the
 * SHA-256 of the lines `<SHA-256>  <path>` of its files, sorted by the bytes of the paths, as a snapshot's SHA256SUMS
 * has them.
 *
 * @throws as {@link unpackArchive}
 */
export async function unpackAndHash(
  inspection: Inspection,
  options: UnpackOptions,
): Promise<{ files: UnpackedFile[]; sha256: string }> {
  if (inspection.form === 'folder') {
    const files = await unpackArchive(inspection, options);
    return { files, sha256: sha256OfSums(files) };
  }
  const [files, sha256] = await both(
    options.signal,
    (signal) => unpackArchive(inspection, { ...options, signal }),
    (signal) => sha256InThread(inspection.archive, signal),
  );
  return { files, sha256 };
}

/**
 * The SHA-256 of the archive that lies at `path` now, as {@link unpackAndHash} gives it.
 *
 * @throws ArchiveRefusal, for a folder that is not sound any more; what reading throws
 */
export async function sha256OfArchive(path: string, options: InspectOptions): Promise<string> {
  if (!(await isFolder(path))) return sha256InThread(path, options.signal);
  const inspection = await inspectFolder(path, options);
  const files: { path: string; sha256: string }[] = [];
  for (const entry of inspection.entries) {
    const hash = createHash('sha256');
    await readFolderEntry(inspection, entry, options.signal, async (chunk) => void hash.update(chunk));
    files.push({ path: entry.path, sha256: hash.digest('hex') });
  }
  return sha256OfSums(files);
}

/** Names with what SHA256SUMS would escape are refused, so that its lines are these. */
function sha256OfSums(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  const lines = files.map(({ path, sha256 }) => ({ key: Buffer.from(path), line: `${sha256}  ${path}\n` }));
  const hash = createHash('sha256');
  for (const { line } of lines.sort((a, b) => Buffer.compare(a.key, b.key))) hash.update(line);
  return hash.digest('hex');
}
