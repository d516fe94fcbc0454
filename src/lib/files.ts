import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from './errors.ts';

/** Private to the user: what state, logins and snapshots in the making get. */
export const PRIVATE_FILE_MODE = 0o600;
export const PRIVATE_DIRECTORY_MODE = 0o700;

/**
 * Makes what was created, renamed or removed in `directory` durable (fsync on the directory, POSIX). Network shares that
 * cannot do it (EINVAL, ENOTSUP) are left to their own durability.
 */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Writes a whole file so that after a crash either the old or the new content is there: temporary file beside it, fsync,
 * rename, fsync of the directory. Mode 0600 unless told.
 *
 * @param temporary a name for the temporary file that only this caller uses, one call at a time: what a killed process
 * left there is written over. Else it has a name that is never used again.
 */
export async function writeFileDurably(
  path: string,
  data: string | Uint8Array,
  mode = PRIVATE_FILE_MODE,
  temporary?: string,
): Promise<void> {
  const beside = temporary ?? join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(beside, temporary === undefined ? 'wx' : 'w', mode);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes a directory (and its parents) that only the user can enter, durably; one that exists is left as it is. */
export async function makePrivateDirectory(path: string): Promise<void> {
  try {
    // Not with `recursive`: that calls a read-only file system ENOENT.
    await mkdir(path, { mode: PRIVATE_DIRECTORY_MODE });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makePrivateDirectory(dirname(path));
    return makePrivateDirectory(path);
  }
  await syncDirectory(dirname(path));
}

/** Removes a tree whatever its modes are (snapshot files are read-only); nothing there is fine. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    await makeTreeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function makeTreeWritable(path: string): Promise<void> {
  await chmod(path, PRIVATE_DIRECTORY_MODE);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeTreeWritable(join(path, entry.name));
  }
}

/** The file's size in bytes, or undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether anything is at `path`. */
export async function exists(path: string): Promise<boolean> {
  return (await sizeOf(path)) !== undefined;
}
