import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Inventory,
  isConversationFile,
  isInventory,
  readInventory,
  takeInventoryApart,
} from '../chatgpt/index.ts';
import { errorMessage } from '../lib/errors.ts';
import { makePrivateDirectory } from '../lib/files.ts';
import { sha256 } from '../lib/hash.ts';
import type { Logger } from '../lib/logger.ts';
import { type SnapshotPlace, SUMS_FILE, verifySnapshot } from '../snapshot/index.ts';

export interface InventoriesOptions {
  readonly stateDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called before a snapshot is read, which takes its time. */
  readonly onReading?: ((snapshot: SnapshotPlace) => void) | undefined;
}

/**
 * The inventories of snapshots. One is taken once, in a process of its own, and kept in the state directory by the
 * SHA-256 of the snapshot's SHA256SUMS, which stands for all its content. It is taken only of files that are what SHA256SUMS says.
 */
export class Inventories {
  readonly #options: InventoriesOptions;
  readonly #directory: string;

  constructor(options: InventoriesOptions) {
    this.#options = options;
    this.#directory = join(options.stateDir, 'inventories');
  }

  /** What stands for all that a snapshot holds; undefined where its SHA256SUMS cannot be read. */
  async keyOf({ path }: SnapshotPlace): Promise<string | undefined> {
    try {
      return sha256(await readFile(join(path, SUMS_FILE)));
    } catch {
      return undefined;
    }
  }

  /**
   * The file that holds a snapshot's inventory (see `readInventory`). Undefined where the snapshot is too damaged for
   * anything to be said.
   *
   * @throws the signal's reason; what the file system says of the state directory
   */
  async fileOf(snapshot: SnapshotPlace): Promise<string | undefined> {
    const { stateDir, logger, signal } = this.#options;
    const key = await this.keyOf(snapshot);
    if (key === undefined) return undefined;
    const file = join(this.#directory, `${key}.jsonl`);
    if (await isInventory(file)) return file;
    this.#options.onReading?.(snapshot);
    if (!(await areConversationsSound(snapshot, signal))) return undefined;
    await makePrivateDirectory(stateDir);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    try {
      await takeInventoryApart(snapshot.path, file, { signal });
      return file;
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ snapshot: snapshot.id }, `what is in ${snapshot.id} could not be read: ${errorMessage(error)}`);
      return undefined;
    }
  }

  /** The inventory itself; see {@link fileOf}. One that turns out to be damaged is taken anew. */
  async read(snapshot: SnapshotPlace): Promise<Inventory | undefined> {
    const file = await this.fileOf(snapshot);
    if (file === undefined) return undefined;
    const known = await readInventory(file);
    if (known !== undefined) return known;
    await this.forget(snapshot);
    const anew = await this.fileOf(snapshot);
    return anew === undefined ? undefined : readInventory(anew);
  }

  async forget(snapshot: SnapshotPlace): Promise<void> {
    await rm(join(this.#directory, `${await this.keyOf(snapshot)}.jsonl`), { force: true });
  }

  /** Forgets those of all other snapshots. */
  async forgetBut(snapshots: readonly SnapshotPlace[]): Promise<void> {
    const kept = new Set(await Promise.all(snapshots.map(async (snapshot) => `${await this.keyOf(snapshot)}.jsonl`)));
    for (const name of await readdir(this.#directory).catch(() => []))
      if (!kept.has(name)) await rm(join(this.#directory, name), { force: true });
  }
}

/** Whether the files with the conversations are what they were when the snapshot was made; all of them are read. */
export async function areConversationsSound(snapshot: SnapshotPlace, signal: AbortSignal): Promise<boolean> {
  const { problems } = await verifySnapshot(snapshot, { signal, select: ({ path }) => isConversationFile(path) });
  return !problems.some(({ path }) => path === SUMS_FILE || isConversationFile(path));
}
