import { open, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { MINUTE_MS } from './clock.ts';
import { syncDirectory } from './files.ts';
import { runProgram } from './run-program.ts';

/** Up to so many files, each is synced on its own: that does not wait for what other programs write. */
const FEW_FILES = 32;
/** A slow disk takes some minutes for what the kernel holds back. */
const TIME_LIMIT_MS = 30 * MINUTE_MS;

/**
 * `f_type` (statfs(2)) of the file systems of which syncfs(2) writes everything and tells of what failed (Linux ≥ 5.8).
 * FUSE ignores it, and network shares are not relied on: there each file is synced.
 */
const SYNCED_AS_A_WHOLE: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
  0x794c7630, // overlayfs, which passes it on
  0x01021994, // tmpfs, which has nothing to do
]);

/**
 * Makes a tree durable: its files, and its directories, the deepest first. Of many files, one call for the whole file
 * system is up to a hundred times as fast as one for each (docs/figures.md); it is made by coreutils' `sync`, and where
 * there is none, or it fails, each file is synced.
 *
 * @throws what the file system says; the signal's reason
 */
export async function syncTree(root: string, signal?: AbortSignal): Promise<void> {
  const few = await listTree(root, FEW_FILES);
  const isMuch = few.files.length > FEW_FILES;
  if (isMuch && (await syncFileSystem(root, signal))) return;
  const { files, directories } = isMuch ? await listTree(root) : few;
  for (const path of files) {
    signal?.throwIfAborted();
    await using file = await open(path);
    await file.sync();
  }
  for (const directory of directories.toReversed()) await syncDirectory(directory);
}

/** Links and devices are left alone; directories come before what they hold. It ends when there are more files than `most`. */
async function listTree(
  root: string,
  most = Number.POSITIVE_INFINITY,
): Promise<{ files: string[]; directories: string[] }> {
  const files: string[] = [];
  const directories = [root];
  // The list grows while it is gone through.
  for (const directory of directories) {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isFile()) files.push(join(directory, entry.name));
      if (entry.isDirectory()) directories.push(join(directory, entry.name));
    }
    if (files.length > most) break;
  }
  return { files, directories };
}

/** Whether all is durable now. */
async function syncFileSystem(path: string, signal = new AbortController().signal): Promise<boolean> {
  const { type } = await statfs(path);
  if (!SYNCED_AS_A_WHOLE.has(type)) return false;
  const run = await runProgram(['sync', '-f', path], { signal, timeoutMs: TIME_LIMIT_MS, mostOutputBytes: 1024 });
  return run.kind === 'output';
}
