import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ChatkeepError, errorCode } from '../lib/errors.ts';
import {
  exists,
  makePrivateDirectory,
  PRIVATE_DIRECTORY_MODE,
  PRIVATE_FILE_MODE,
  removeTree,
  syncDirectory,
  writeFileDurably,
} from '../lib/files.ts';
import { lockDirectory } from '../lib/lock.ts';
import type { Logger } from '../lib/logger.ts';
import { Mutex } from '../lib/mutex.ts';
import { count } from '../lib/text.ts';
import { type CommitPlace, type CommitResult, commitSnapshot, type SnapshotDraft } from './commit.ts';
import { type KeptExport, keptExports } from './kept.ts';
import { updateLatest } from './latest.ts';
import { listSnapshots } from './list.ts';
import { isAccountDirectory, OWN_DIRECTORY, README_FILE } from './names.ts';
import type { SnapshotPlace } from './place.ts';
import { README_TEXT } from './readme.ts';
import { removeSnapshot } from './remove.ts';
import { withStorageErrors } from './tree.ts';

/**
 * The directory in which snapshots live, held by this process alone. The only way to write into it.
 *
 * Disposing of it gives the lock back, after the commit that is under way.
 */
export interface BackupDirectory extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
  /**
   * A fresh directory (0700) to unpack into, on the file system of the snapshots; an older one of the same capture is
   * removed first.
   */
  createStaging(captureId: string): Promise<string>;
  discardStaging(captureId: string): Promise<void>;
  /**
   * Turns the capture's staging directory into a snapshot, or finds that there is one already: of the same export, or of
   * another with the very same files, which is then put on record. Files of an unpacked export become read-only;
   * unchanged ones become hard links. One commit runs at a time.
   *
   * @throws ChatkeepError `storage` (the staging directory stays, and the commit can be tried again); the signal's reason
   */
  commit(draft: SnapshotDraft, options?: { signal?: AbortSignal }): Promise<CommitResult>;
  /**
   * Deletes a snapshot for good, with the records of exports that were found equal to it; never the newest of its
   * account. No commit runs meanwhile.
   * @throws ChatkeepError `storage`
   */
  remove(snapshot: SnapshotPlace): Promise<void>;
  /** Points `latest` of every account at its newest snapshot, where it leads elsewhere. */
  setLatest(): Promise<void>;
  /** How the newest export is kept that matches any one of the criteria. */
  find(criteria: SnapshotCriteria): Promise<KeptExport | undefined>;
  /**
   * Moves a refused archive to `.chatkeep/quarantine/<name>.zip`, across file systems if need be, and gives the new path.
   * The archive is at one place or at both at every moment, never at none; asked again after a crash, it comes to the
   * same result.
   *
   * @param name letters, digits, `-` and `_`: another one for each archive
   */
  quarantine(file: string, name: string): Promise<string>;
  /** Where the archive of that name lies in quarantine; undefined if it does not. */
  quarantined(name: string): Promise<string | undefined>;
}

export interface SnapshotCriteria {
  readonly capture?: string | undefined;
  readonly exportId?: string | undefined;
  /** 64 hex digits. */
  readonly archiveSha256?: string | undefined;
}

/**
 * Takes a backup directory for this process, makes it if need be, and brings it in order: what a crash left in the
 * staging directory is removed, `latest` of every account is set, README.txt is written where it is missing.
 *
 * @throws ChatkeepError `in-use` if another process has it, `storage` if it cannot be written, `config` if it is a file
 */
export async function openBackupDirectory(path: string, { logger }: { logger: Logger }): Promise<BackupDirectory> {
  const backups = resolve(path);
  return withStorageErrors('open the backup directory', backups, async () => {
    await makeDirectories(backups);
    const lock = await lockDirectory(join(backups, OWN_DIRECTORY), 'backup directory');
    try {
      const directory = new LockedBackupDirectory(backups, lock, logger);
      await directory.bringInOrder();
      return directory;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  });
}

async function makeDirectories(backups: string): Promise<void> {
  try {
    await makePrivateDirectory(backups);
    await makePrivateDirectory(join(backups, OWN_DIRECTORY));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    throw new ChatkeepError('config', `The backup directory ${backups} is a file, not a directory.`, { cause: error });
  }
}

class LockedBackupDirectory implements BackupDirectory {
  readonly path: string;
  readonly #stagingRoot: string;
  readonly #quarantine: string;
  readonly #trash: string;
  readonly #lock: Disposable;
  readonly #logger: Logger;
  /** Two commits at a time could take the same name, or miss that they are duplicates. */
  readonly #commits = new Mutex();

  constructor(path: string, lock: Disposable, logger: Logger) {
    this.path = path;
    this.#stagingRoot = join(path, OWN_DIRECTORY, 'staging');
    this.#quarantine = join(path, OWN_DIRECTORY, 'quarantine');
    this.#trash = join(path, OWN_DIRECTORY, 'trash');
    this.#lock = lock;
    this.#logger = logger;
  }

  async bringInOrder(): Promise<void> {
    await makePrivateDirectory(this.#stagingRoot);
    await makePrivateDirectory(this.#quarantine);
    const leftovers = await readdir(this.#stagingRoot);
    for (const name of leftovers) await removeTree(join(this.#stagingRoot, name));
    if (leftovers.length > 0) this.#logger.info(`Removed ${count(leftovers.length, 'unfinished snapshot')}.`);
    // A removal that a crash has cut short.
    await removeTree(this.#trash);
    await this.#writeReadme();
    await this.#setLatest();
  }

  async setLatest(): Promise<void> {
    await this.#commits.run(() => withStorageErrors('set the links in', this.path, () => this.#setLatest()));
  }

  async #setLatest(): Promise<void> {
    for (const entry of await readdir(this.path, { withFileTypes: true })) {
      if (!entry.isDirectory() || !isAccountDirectory(entry.name)) continue;
      await updateLatest(join(this.path, entry.name), this.#stagingRoot, this.#logger);
    }
  }

  async #writeReadme(): Promise<void> {
    const readme = join(this.path, README_FILE);
    if (await exists(readme)) return;
    const temporary = join(this.#stagingRoot, README_FILE);
    await writeFileDurably(temporary, README_TEXT);
    await rename(temporary, readme);
    await syncDirectory(this.path);
  }

  async createStaging(captureId: string): Promise<string> {
    const staging = this.#staging(captureId);
    return withStorageErrors('make the staging directory', staging, async () => {
      await removeTree(staging);
      await mkdir(staging, { mode: PRIVATE_DIRECTORY_MODE });
      return staging;
    });
  }

  async discardStaging(captureId: string): Promise<void> {
    const staging = this.#staging(captureId);
    await withStorageErrors('remove the staging directory', staging, () => removeTree(staging));
  }

  async commit(draft: SnapshotDraft, { signal }: { signal?: AbortSignal } = {}): Promise<CommitResult> {
    const staging = this.#staging(draft.capture);
    const place: CommitPlace = { backups: this.path, stagingRoot: this.#stagingRoot, logger: this.#logger, signal };
    return this.#commits.run(() =>
      withStorageErrors('commit the snapshot to', this.path, () => commitSnapshot(draft, staging, place)),
    );
  }

  async remove(snapshot: SnapshotPlace): Promise<void> {
    const place = { backups: this.path, trash: this.#trash, stagingRoot: this.#stagingRoot, logger: this.#logger };
    await this.#commits.run(() =>
      withStorageErrors('delete the snapshot', snapshot.path, () => removeSnapshot(snapshot, place)),
    );
  }

  async find({ capture, exportId, archiveSha256 }: SnapshotCriteria): Promise<KeptExport | undefined> {
    return keptExports(await listSnapshots(this.path)).findLast(
      ({ meta }) =>
        (capture !== undefined && meta.capture === capture) ||
        (exportId !== undefined && meta.exportId === exportId) ||
        (archiveSha256 !== undefined && meta.archive.sha256 === archiveSha256),
    );
  }

  async quarantine(file: string, name: string): Promise<string> {
    const target = this.#inQuarantine(name);
    return withStorageErrors('move the archive to', this.#quarantine, async () => {
      // The process died between the move and its record.
      if (file === target || (!(await exists(file)) && (await exists(target)))) return target;
      try {
        await rename(file, target);
      } catch (error) {
        if (errorCode(error) !== 'EXDEV') throw error;
        await this.#copyIn(file, target);
        await rm(file);
      }
      await syncDirectory(this.#quarantine);
      return target;
    });
  }

  async quarantined(name: string): Promise<string | undefined> {
    const path = this.#inQuarantine(name);
    return withStorageErrors('look into', this.#quarantine, async () => ((await exists(path)) ? path : undefined));
  }

  #inQuarantine(name: string): string {
    assertSafeId(name);
    return join(this.#quarantine, `${name}.zip`);
  }

  /** Copies from another file system; under its own name only when it is whole and durable. */
  async #copyIn(file: string, target: string): Promise<void> {
    const temporary = join(this.#stagingRoot, `copy-${randomBytes(6).toString('hex')}`);
    try {
      await copyFile(file, temporary, constants.COPYFILE_EXCL);
      await using copy = await open(temporary, 'r+');
      await copy.chmod(PRIVATE_FILE_MODE);
      await copy.sync();
      await rename(temporary, target);
      await syncDirectory(dirname(target));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commits.run(async () => {});
    this.#lock[Symbol.dispose]();
  }

  #staging(captureId: string): string {
    assertSafeId(captureId);
    return join(this.#stagingRoot, captureId);
  }
}

/** Capture ids, and what is made of them, become file names. */
function assertSafeId(captureId: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(captureId)) throw new Error(`Not a capture id: ${captureId}`);
}
