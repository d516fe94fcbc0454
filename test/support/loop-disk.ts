import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DISK_BYTES = 256 * 1024 * 1024;

/** File systems that differ in what they can do. */
const KINDS = {
  /** No hard links, no modes, no symbolic links; through FUSE. */
  exfat: { make: ['mkfs.exfat'], mount: ['mount.exfat-fuse'] },
  /** Clones (reflinks); without `extref`, some hundred hard links to one file in one directory, and no more. */
  btrfs: { make: ['mkfs.btrfs', '--quiet', '--features', '^extref'], mount: ['mount', '-t', 'btrfs'] },
} as const;

/** Mounts a small disk with a file system of its own, made of a file. Needs root. */
export async function mountDisk(path: string, kind: keyof typeof KINDS): Promise<AsyncDisposable> {
  const image = `${path}.img`;
  await mkdir(path, { recursive: true });
  await using file = await open(image, 'w');
  await file.truncate(DISK_BYTES);
  const { make, mount } = KINDS[kind];
  await runAll([...make, image]);
  const { stdout } = await run('losetup', ['--find', '--show', image]);
  const device = stdout.trim();
  try {
    await runAll([...mount, device, path]);
  } catch (error) {
    await run('losetup', ['--detach', device]);
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      await run('umount', [path]);
      await run('losetup', ['--detach', device]);
      await rm(image);
    },
  };
}

async function runAll([program = '', ...args]: readonly string[]): Promise<void> {
  await run(program, args);
}
