import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Inventory,
  isConversationFile,
  isInventory,
  readInventory,
  type Stock,
  type StockOptions,
  takeStockApart,
} from '../chatgpt/index.ts';
import { DAY_MS } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { exists, makePrivateDirectory } from '../lib/files.ts';
import type { Logger } from '../lib/logger.ts';
import { digestOfSums, type SnapshotPlace, SUMS_FILE, verifySnapshot } from '../snapshot/index.ts';

/** Takes stock of the export in a directory, and writes its inventory to a file. */
export type TakeStock = (directory: string, file: string, options: StockOptions) => Promise<Stock>;

export interface InventoriesOptions {
  readonly stateDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called before a snapshot is read, which takes its time. */
  readonly onReading?: ((snapshot: SnapshotPlace) => void) | undefined;
  /** How exports are read; in a process of its own unless told. */
  readonly takeStock?: TakeStock | undefined;
}

/** The only place into which the processes that read exports can write. */
const INCOMING = 'incoming';
const ENDING = '.jsonl';

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

  /**
   * The file that holds a snapshot's inventory (see `readInventory`). Undefined where the snapshot is too damaged for
   * anything to be said.
   *
   * @throws the signal's reason; what the file system says of the state directory
   */
  async fileOf(snapshot: SnapshotPlace): Promise<string | undefined> {
    const { logger, signal, takeStock = takeStockApart } = this.#options;
    const key = await digestOfSums(snapshot);
    if (key === undefined) return undefined;
    const file = this.#fileOfKey(key);
    if (await isInventory(file)) return file;
    this.#options.onReading?.(snapshot);
    if (!(await areConversationsSound(snapshot, signal))) return undefined;
    const incoming = await this.#incoming(key);
    try {
      const { unwritten } = await takeStock(snapshot.path, incoming, { signal, inBackground: true });
      if (unwritten !== undefined) throw new Error(unwritten);
      await rename(incoming, file);
      return file;
    } catch (error) {
      await rm(incoming, { force: true });
      signal.throwIfAborted();
      logger.warn({ snapshot: snapshot.id }, `what is in ${snapshot.id} could not be read: ${errorMessage(error)}`);
      return undefined;
    }
  }

  /**
   * Takes stock of an export that is to become a snapshot.
   * @param capture its id
   * @throws what the process throws (`takeStockApart`), and the file system
   */
  async takeOfStaged(capture: string, directory: string): Promise<Stock> {
    const { signal, takeStock = takeStockApart } = this.#options;
    return takeStock(directory, await this.#incoming(capture), { signal });
  }

  /** What was taken of the export before it was a snapshot is from now on the snapshot's inventory. */
  async adopt(capture: string, snapshot: SnapshotPlace): Promise<void> {
    const incoming = await this.#incoming(capture);
    const key = await digestOfSums(snapshot);
    if (key !== undefined && (await exists(incoming))) await rename(incoming, this.#fileOfKey(key));
  }

  /** Removes what processes have left that were ended: nothing in the making is a day old. @param now ms UTC */
  async sweep(now: number): Promise<void> {
    const directory = join(this.#directory, INCOMING);
    for (const name of await readdir(directory).catch(() => [])) {
      const path = join(directory, name);
      const stats = await stat(path).catch(() => undefined);
      if (stats !== undefined && now - stats.mtimeMs > DAY_MS) await rm(path, { force: true });
    }
  }

  /** Forgets what was taken of an export that did not become a snapshot. */
  async discard(capture: string): Promise<void> {
    await rm(await this.#incoming(capture), { force: true });
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
    const key = await digestOfSums(snapshot);
    if (key !== undefined) await rm(this.#fileOfKey(key), { force: true });
  }

  /** Forgets those of all other snapshots. */
  async forgetBut(snapshots: readonly SnapshotPlace[]): Promise<void> {
    const kept = new Set(
      await Promise.all(snapshots.map(async (snapshot) => `${await digestOfSums(snapshot)}${ENDING}`)),
    );
    for (const name of await readdir(this.#directory).catch(() => []))
      if (name.endsWith(ENDING) && !kept.has(name)) await rm(join(this.#directory, name), { force: true });
  }

  #fileOfKey(key: string): string {
    return join(this.#directory, `${key}${ENDING}`);
  }

  async #incoming(name: string): Promise<string> {
    const directory = join(this.#directory, INCOMING);
    await makePrivateDirectory(directory);
    return join(directory, `${name}${ENDING}`);
  }
}

/** Whether the files with the conversations are what they were when the snapshot was made; all of them are read. */
export async function areConversationsSound(snapshot: SnapshotPlace, signal: AbortSignal): Promise<boolean> {
  const { problems } = await verifySnapshot(snapshot, { signal, select: ({ path }) => isConversationFile(path) });
  return !problems.some(({ path }) => path === SUMS_FILE || isConversationFile(path));
}
