import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Tmpfs extends AsyncDisposable {
  makeReadOnly(): Promise<void>;
}

/** Mounts a small file system of its own, so that a full and a read-only disk can be had for real. Needs root. */
export async function mountTmpfs(path: string, size: string): Promise<Tmpfs> {
  await mkdir(path, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'chatkeep-test', path]);
  return {
    makeReadOnly: async () => {
      await run('mount', ['-o', 'remount,ro', path]);
    },
    [Symbol.asyncDispose]: async () => {
      // Lazily, so that a test which failed with a file open leaves no mount behind.
      await run('umount', ['--lazy', path]);
    },
  };
}
