import { readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../lib/files.ts';
import type { Logger } from '../lib/logger.ts';
import { compareNames } from './list.ts';
import { readMetadata } from './metadata.ts';
import { LATEST, parseSnapshotName } from './names.ts';
import { statIfThere } from './tree.ts';

/**
 * Points an account's `latest` at its newest snapshot, by name; removes it where there is none. It is a convenience:
 * where it cannot be had (shares without symbolic links) that is logged, and nothing fails.
 *
 * @param scratch a directory on the same file system, for the link in the making
 */
export async function updateLatest(accountPath: string, scratch: string, logger: Logger): Promise<void> {
  try {
    await pointAtNewest(accountPath, scratch);
  } catch (error) {
    logger.info(
      { err: error },
      `The link ${join(accountPath, LATEST)} could not be set; the snapshots are not concerned.`,
    );
  }
}

async function pointAtNewest(accountPath: string, scratch: string): Promise<void> {
  const latest = join(accountPath, LATEST);
  const [newest, existing] = await Promise.all([newestSnapshot(accountPath), statIfThere(latest)]);
  if (existing !== undefined && !existing.isSymbolicLink())
    throw new Error(`${latest} is not a link; it is left alone`);
  if (newest === undefined) {
    await rm(latest, { force: true });
    return;
  }
  if (existing !== undefined && (await readlink(latest)) === newest) return;
  const temporary = join(scratch, `${LATEST}.link`);
  await rm(temporary, { force: true });
  await symlink(newest, temporary);
  await rename(temporary, latest);
  await syncDirectory(accountPath);
}

async function newestSnapshot(accountPath: string): Promise<string | undefined> {
  const names = (await readdir(accountPath)).filter((name) => parseSnapshotName(name) !== undefined).sort(compareNames);
  for (const name of names.toReversed()) {
    if ((await readMetadata(join(accountPath, name))).kind !== 'none') return name;
  }
  return undefined;
}
