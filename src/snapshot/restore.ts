import { createHash } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { asStorageError, ChatkeepError, errorCode, errorMessage } from '../lib/errors.ts';
import {
  makePrivateDirectory,
  PRIVATE_DIRECTORY_MODE,
  PRIVATE_FILE_MODE,
  syncDirectory,
  writeFileDurably,
} from '../lib/files.ts';
import { sha256OfFile } from '../lib/hash.ts';
import { assertRoom } from '../lib/space.ts';
import { findCopies, findSound, readSumsOf } from './copies.ts';
import { METADATA_FILE, OWN_DIRECTORY, SUMS_FILE } from './names.ts';
import type { SnapshotPlace } from './place.ts';
import { type TreeEntry, walkTree } from './tree.ts';

export interface RestoreOptions {
  /** The backup directory, in which nothing may be restored. */
  readonly backups: string;
  /** Where sound copies of damaged files may be. */
  readonly snapshots: readonly SnapshotPlace[];
  readonly signal?: AbortSignal | undefined;
  /** In bytes. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface RestoreProblem {
  /** POSIX, relative to the snapshot. */
  readonly path: string;
  /** A sentence for the user. */
  readonly detail: string;
}

export interface RestoreReport {
  readonly ok: boolean;
  /** Files that are in the target now, those of an earlier try included. */
  readonly files: number;
  readonly bytes: number;
  /** Files that were damaged here, and taken from another snapshot that has them sound: absolute paths of those. */
  readonly mended: readonly { readonly path: string; readonly from: string }[];
  /** What could not be restored, or not be verified. Everything else was. */
  readonly problems: readonly RestoreProblem[];
}

/** In a target that is not whole yet: what is being restored there. */
const MARK = `${OWN_DIRECTORY}/restoring`;
/** The file in the making. */
const PART = `${OWN_DIRECTORY}/restoring.part`;
const COPY_BYTES = 256 * 1024;

/**
 * Copies a snapshot out of the backup directory. Each file is hashed while it is copied, and has its name in the target
 * only once it is whole and found sound; times are kept. One that is damaged is taken from another snapshot that holds the same
 * content, or else named in the report, and everything else is copied. What was broken off is gone on with when it is
 * called again.
 *
 * @throws ChatkeepError `usage` if the target is not empty (and no restore of this snapshot that was broken off) or lies
 *   in the backup directory, `storage` if there is no room or it cannot be written; the signal's reason
 */
export async function restoreSnapshot(
  snapshot: SnapshotPlace,
  target: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const to = resolve(target);
  assertOutside(to, resolve(options.backups));
  try {
    const restoration = new Restoration(snapshot, to, options);
    return await restoration.run();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw asStorageError(error, 'restore to', to);
  }
}

function assertOutside(target: string, backups: string): void {
  const way = relative(backups, target);
  if (way !== '' && (way === '..' || way.startsWith('../'))) return;
  throw new ChatkeepError('usage', `${target} is in the backup directory, which holds snapshots and nothing else.`, {
    next: 'Name a directory outside of it.',
  });
}

class Restoration {
  readonly #snapshot: SnapshotPlace;
  readonly #target: string;
  readonly #options: RestoreOptions;
  readonly #problems: RestoreProblem[] = [];
  readonly #mended: { path: string; from: string }[] = [];
  #files = 0;
  #bytes = 0;
  #done = 0;
  #total = 0;

  constructor(snapshot: SnapshotPlace, target: string, options: RestoreOptions) {
    this.#snapshot = snapshot;
    this.#target = target;
    this.#options = options;
  }

  async run(): Promise<RestoreReport> {
    const tree = await walkTree(this.#snapshot.path);
    const sums = new Map((await readSumsOf(this.#snapshot.path)).map(({ path, sha256 }) => [path, sha256] as const));
    await this.#claimTarget();
    await this.#makeRoom(tree);
    for (const { path, kind } of tree)
      if (kind === 'directory')
        await mkdir(join(this.#target, path), { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
    for (const entry of tree) if (!isOwn(entry.path)) await this.#restoreEntry(entry, sums.get(entry.path));
    const there = new Set(tree.map(({ path }) => path));
    for (const [path, sha256] of sums) if (!there.has(path)) await this.#restoreFile(path, sha256);
    await this.#finish(tree);
    return {
      ok: this.#problems.length === 0,
      files: this.#files,
      bytes: this.#bytes,
      mended: this.#mended,
      problems: this.#problems,
    };
  }

  async #claimTarget(): Promise<void> {
    await makePrivateDirectory(this.#target);
    const names = await readdir(this.#target);
    const mark = await readFile(join(this.#target, MARK), 'utf8').catch(() => undefined);
    if (mark === this.#snapshot.id) return;
    if (names.length > 0) {
      throw new ChatkeepError('usage', `${this.#target} is not empty; nothing was written there.`, {
        next:
          mark === undefined
            ? 'Name an empty directory, or one that does not exist yet.'
            : `Another snapshot was being restored there (${mark}): go on with that one, or name another directory.`,
      });
    }
    await makePrivateDirectory(join(this.#target, OWN_DIRECTORY));
    await writeFileDurably(join(this.#target, MARK), this.#snapshot.id);
  }

  /** What an earlier try has brought need not fit again. */
  async #makeRoom(tree: readonly TreeEntry[]): Promise<void> {
    let wanting = 0;
    for (const { path, kind } of tree) {
      if (kind !== 'file') continue;
      const { size } = await stat(join(this.#snapshot.path, path));
      this.#total += size;
      const there = await lstat(join(this.#target, path)).catch(() => undefined);
      if (there?.size !== size) wanting += size;
    }
    await assertRoom(this.#target, wanting, 'target');
  }

  async #restoreEntry({ path, kind }: TreeEntry, sha256: string | undefined): Promise<void> {
    if (kind === 'directory') return;
    if (kind === 'file') return this.#restoreFile(path, sha256);
    if (sha256 === undefined) this.#problems.push({ path, detail: `${path} is no file, and was not copied.` });
    else await this.#mend(path, sha256, 'is not a file any more');
  }

  async #restoreFile(path: string, sha256: string | undefined): Promise<void> {
    const { signal, onProgress } = this.#options;
    signal?.throwIfAborted();
    const source = join(this.#snapshot.path, path);
    try {
      if (await this.#isThere(path, sha256)) {
        this.#done += await this.#count(path);
        return;
      }
      const found = await this.#copy(source);
      if (sha256 !== undefined && found !== sha256) return await this.#mend(path, sha256, 'has changed');
      await this.#accept(path, source);
      if (sha256 === undefined)
        this.#problems.push({
          path,
          detail: `${path} was copied and could not be verified: SHA256SUMS has no line for it.`,
        });
    } catch (error) {
      signal?.throwIfAborted();
      if (!isReadError(error)) throw error;
      const fault = errorCode(error) === 'ENOENT' ? 'is missing' : `cannot be read (${errorMessage(error)})`;
      if (sha256 === undefined) this.#problems.push({ path, detail: `${path} ${fault}.` });
      else await this.#mend(path, sha256, fault);
    } finally {
      onProgress?.(this.#done, this.#total);
    }
  }

  /** An earlier try may have brought it; what somebody has put there meanwhile is written over. */
  async #isThere(path: string, sha256: string | undefined): Promise<boolean> {
    if (sha256 === undefined) return false;
    const file = join(this.#target, path);
    const stats = await lstat(file).catch(() => undefined);
    return stats?.isFile() === true && (await sha256OfFile(file, this.#options.signal)) === sha256;
  }

  /** Takes the file from another snapshot that has it sound, if there is one. */
  async #mend(path: string, sha256: string, fault: string): Promise<void> {
    const { snapshots, signal } = this.#options;
    const own = join(this.#snapshot.path, path);
    const copies = (await findCopies(new Set([sha256]), snapshots)).get(sha256) ?? [];
    const sound = await findSound(copies, sha256, undefined, signal);
    if (sound === undefined) {
      this.#problems.push({ path, detail: `${path} ${fault}, and no other snapshot has it: ${own} was not copied.` });
      return;
    }
    if ((await this.#copy(sound.file)) !== sha256) throw new Error(`${sound.file} changes while it is read`);
    await this.#accept(path, sound.file);
    this.#mended.push({ path, from: sound.file });
  }

  /** Copies to the file in the making, and gives the SHA-256 of what was copied. */
  async #copy(source: string): Promise<string> {
    const { signal, onProgress } = this.#options;
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(COPY_BYTES);
    await using from = await openToRead(source);
    await using to = await open(join(this.#target, PART), 'w', PRIVATE_FILE_MODE);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await from.read(buffer, 0, COPY_BYTES).catch(asReadError);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      await to.writeFile(chunk);
      this.#done += bytesRead;
      onProgress?.(this.#done, this.#total);
    }
    await to.sync();
    return hash.digest('hex');
  }

  /** Gives the copied file its name and the times of its source. */
  async #accept(path: string, source: string): Promise<void> {
    const { atime, mtime } = await stat(source);
    const file = join(this.#target, path);
    await mkdir(dirname(file), { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
    await utimes(join(this.#target, PART), atime, mtime);
    await rename(join(this.#target, PART), file);
    await this.#count(path);
  }

  async #count(path: string): Promise<number> {
    const { size } = await stat(join(this.#target, path));
    this.#files += 1;
    this.#bytes += size;
    return size;
  }

  /** The checksums come last, and with them the copy can be verified as the snapshot can. */
  async #finish(tree: readonly TreeEntry[]): Promise<void> {
    for (const path of [SUMS_FILE, METADATA_FILE]) {
      if (tree.some((entry) => entry.path === path && entry.kind === 'file')) {
        await this.#copy(join(this.#snapshot.path, path));
        await rename(join(this.#target, PART), join(this.#target, path));
      } else this.#problems.push({ path, detail: `${path} is missing.` });
    }
    await rm(join(this.#target, PART), { force: true });
    for (const { path, kind } of tree.toReversed())
      if (kind === 'directory') await syncDirectory(join(this.#target, path));
    await syncDirectory(this.#target);
    // A target that is not whole can be gone on with: the snapshot may be repaired by then.
    if (this.#problems.length === 0) await rm(join(this.#target, MARK), { force: true });
  }
}

function isOwn(path: string): boolean {
  return path === OWN_DIRECTORY || path.startsWith(`${OWN_DIRECTORY}/`);
}

/** The snapshot's disk, not the target's. */
class ReadError extends Error {
  readonly code: string | undefined;

  constructor(cause: unknown) {
    super(errorMessage(cause), { cause });
    this.code = errorCode(cause);
  }
}

function isReadError(error: unknown): boolean {
  return error instanceof ReadError;
}

function asReadError(error: unknown): never {
  throw new ReadError(error);
}

function openToRead(path: string): ReturnType<typeof open> {
  return open(path).catch(asReadError);
}
