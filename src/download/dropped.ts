import type { Dirent } from 'node:fs';
import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../lib/hash.ts';
import { isLitter } from '../lib/litter.ts';
import { hasZipEnd, ZIP_END_BYTES } from './zip-marks.ts';

/** What lies in the drop folder and may be an export: a ZIP, or a folder that one was unpacked into (Safari does that). */
export interface Candidate {
  readonly name: string;
  readonly form: 'zip' | 'folder';
}

/**
 * The names under which browsers write what is still arriving: Chromium's, Firefox's, Opera's, Safari's (a directory),
 * the old Edge's.
 */
const UNFINISHED = /\.(?:crdownload|part|opdownload|download|partial)$/i;

/** What may be an export, sorted by name. What is hidden, a link, or a browser's half of a download is none. */
export function candidatesAmong(entries: readonly Dirent[]): Candidate[] {
  return entries
    .filter(({ name }) => !name.startsWith('.') && !isLitter(name) && !UNFINISHED.test(name))
    .flatMap((entry): Candidate[] => {
      if (entry.isDirectory()) return [{ name: entry.name, form: 'folder' }];
      return entry.isFile() && /\.zip$/i.test(entry.name) ? [{ name: entry.name, form: 'zip' }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Whether a browser is still writing what is to have this name: its half of the download lies beside it. Firefox keeps
 * the name with an empty file meanwhile, and writes to `NAME.zip.part` or `NAME.RANDOM.zip.part`.
 */
export function isStillArriving({ name }: Candidate, names: readonly string[]): boolean {
  const stem = name.replace(/\.zip$/i, '');
  return names.some((other) => other.startsWith(`${stem}.`) && UNFINISHED.test(other));
}

/** Names the very content of the very path: another file of the same name has another key. */
export async function keyOf(path: string, form: Candidate['form']): Promise<{ key: string; bytes: number }> {
  return form === 'zip' ? fileKey(path) : folderKey(path);
}

/** The key of a file as it is now, and its size. */
export async function fileKey(path: string): Promise<{ key: string; bytes: number }> {
  const { size, mtimeMs } = await stat(path);
  return { key: `${path}\u0000${size}\u0000${mtimeMs}`, bytes: size };
}

/** Of all files in it. Nothing is followed, and what file managers leave is passed over. */
async function folderKey(path: string): Promise<{ key: string; bytes: number }> {
  const lines: string[] = [];
  let bytes = 0;
  async function look(directory: string): Promise<void> {
    for (const entry of await readdir(join(path, directory), { withFileTypes: true })) {
      if (isLitter(entry.name)) continue;
      const inner = join(directory, entry.name);
      if (entry.isDirectory()) {
        await look(inner);
        continue;
      }
      const { size, mtimeMs } = await lstat(join(path, inner));
      bytes += size;
      lines.push(`${inner}\u0000${size}\u0000${mtimeMs}`);
    }
  }
  await look('');
  return { key: `${path}\u0000${sha256(lines.sort().join('\u0000'))}`, bytes };
}

/** Whether a file ends as a ZIP does, so that nothing more can come. */
export async function endsLikeZip(path: string, bytes: number): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const tail = Buffer.alloc(Math.min(bytes, ZIP_END_BYTES));
    await handle.read(tail, 0, tail.length, bytes - tail.length);
    return hasZipEnd(tail);
  } finally {
    await handle.close();
  }
}
