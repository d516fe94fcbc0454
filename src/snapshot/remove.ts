import { randomBytes } from 'node:crypto';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateDirectory, removeTree, syncDirectory } from '../lib/files.ts';
import type { Logger } from '../lib/logger.ts';
import { updateLatest } from './latest.ts';
import { compareNames } from './list.ts';
import { parseSnapshotName } from './names.ts';
import type { SnapshotPlace } from './place.ts';
import { forgetUnchanged } from './unchanged.ts';

export interface RemovalPlace {
  readonly backups: string;
  /** The directory of what is being deleted; what is in there is no snapshot any more. */
  readonly trash: string;
  /** For `latest` in the making. */
  readonly stagingRoot: string;
  readonly logger: Logger;
}

/**
 * Deletes a snapshot. One rename takes it out of its account, so that there is a whole snapshot before it and none after
 * it; what it held is deleted then, by this process or, if it is killed, by the next that opens the directory. Files
 * that other snapshots share stay theirs. The records of exports that were found equal to it go with it; what a crash
 * leaves of them counts for nothing.
 *
 * @throws Error for the newest snapshot of its account: that one is never deleted
 */
export async function removeSnapshot({ account, name }: SnapshotPlace, place: RemovalPlace): Promise<void> {
  const accountPath = join(place.backups, account);
  await assertNotNewest(accountPath, name);
  await makePrivateDirectory(place.trash);
  const doomed = join(place.trash, `${name}-${randomBytes(6).toString('hex')}`);
  await rename(join(accountPath, name), doomed);
  await syncDirectory(accountPath);
  await syncDirectory(place.trash);
  await updateLatest(accountPath, place.stagingRoot, place.logger);
  await forgetUnchanged(accountPath, name);
  await removeTree(doomed);
}

/** Whoever decides what goes has seen to that; this is the last look before it is done. */
async function assertNotNewest(accountPath: string, name: string): Promise<void> {
  const names = (await readdir(accountPath)).filter((other) => parseSnapshotName(other) !== undefined);
  if (!names.includes(name)) throw new Error(`There is no snapshot ${name} in ${accountPath}`);
  if (names.sort(compareNames).at(-1) === name) throw new Error(`${name} is the newest of ${accountPath}`);
}
