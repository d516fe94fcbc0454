import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ConversationEntry,
  type Inventory,
  isContentFile,
  isConversationFile,
  REPORT_REASONS,
  type ReportReason,
  readInventory,
  takeInventoryApart,
} from '../chatgpt/index.ts';
import { errorMessage } from '../lib/errors.ts';
import { makePrivateDirectory } from '../lib/files.ts';
import { sha256 } from '../lib/hash.ts';
import type { Logger } from '../lib/logger.ts';
import { readSumsOf, type SnapshotPlace, SUMS_FILE, verifySnapshot } from '../snapshot/index.ts';

/** What a snapshot holds. */
export interface Contents {
  readonly conversations: ReadonlyMap<string, ConversationEntry>;
  /** The content files (assets, and files of kinds that are not known): a path of each by its SHA-256. */
  readonly files: ReadonlyMap<string, string>;
  /** Why there may be more in it than that, a sentence; undefined where all was read. */
  readonly unread: string | undefined;
}

export interface ContentReaderOptions {
  readonly stateDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called before a snapshot is read, which takes its time. */
  readonly onReading?: ((snapshot: SnapshotPlace) => void) | undefined;
}

/** Inventories are some megabytes each; what is compared is near in time. */
const INVENTORIES_IN_MEMORY = 4;

/** What is not there was not lost from this export: the export came without it. */
const NOT_THERE_ANYWAY: readonly ReportReason[] = ['file-missing', 'file-wrong-size'];
/** Of a conversation that stands twice in an export, the inventory has the messages of both, but each in one version. */
const MAY_HIDE_MORE: readonly ReportReason[] = ['conversation-repeated'];

/**
 * Reads what snapshots hold. An inventory is taken once, in a process of its own, and kept in the state directory by
 * the SHA-256 of the snapshot's SHA256SUMS, which stands for all its content. It is taken only of files that are what SHA256SUMS says.
 */
export class ContentReader {
  readonly #options: ContentReaderOptions;
  readonly #cache: string;
  readonly #recent = new Map<string, Contents | undefined>();

  constructor(options: ContentReaderOptions) {
    this.#options = options;
    this.#cache = join(options.stateDir, 'inventories');
  }

  /**
   * Undefined where the snapshot is too damaged for anything to be said.
   * @throws the signal's reason; what the file system says of the state directory
   */
  async read(snapshot: SnapshotPlace): Promise<Contents | undefined> {
    const key = await this.#keyOf(snapshot);
    if (key === undefined) return undefined;
    const contents = this.#recent.has(key) ? this.#recent.get(key) : await this.#take(snapshot, key);
    this.#recent.delete(key);
    this.#recent.set(key, contents);
    for (const oldest of this.#recent.keys())
      if (this.#recent.size > INVENTORIES_IN_MEMORY) this.#recent.delete(oldest);
    return contents;
  }

  /** Forgets the inventories of all other snapshots. */
  async forgetBut(snapshots: readonly SnapshotPlace[]): Promise<void> {
    const kept = new Set(await Promise.all(snapshots.map(async (snapshot) => `${await this.#keyOf(snapshot)}.jsonl`)));
    for (const name of await readdir(this.#cache).catch(() => []))
      if (!kept.has(name)) await rm(join(this.#cache, name), { force: true });
  }

  async #keyOf({ path }: SnapshotPlace): Promise<string | undefined> {
    try {
      return sha256(await readFile(join(path, SUMS_FILE)));
    } catch {
      return undefined;
    }
  }

  async #take(snapshot: SnapshotPlace, key: string): Promise<Contents | undefined> {
    const { logger, signal } = this.#options;
    const file = join(this.#cache, `${key}.jsonl`);
    const known = await readInventory(file);
    if (known !== undefined) return contentsOf(known, snapshot);
    this.#options.onReading?.(snapshot);
    if (!(await areConversationsSound(snapshot, signal))) return undefined;
    await makePrivateDirectory(this.#options.stateDir);
    await mkdir(this.#cache, { recursive: true, mode: 0o700 });
    try {
      await takeInventoryApart(snapshot.path, file, { signal });
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ snapshot: snapshot.id }, `what is in ${snapshot.id} could not be read: ${errorMessage(error)}`);
      return undefined;
    }
    const taken = await readInventory(file);
    return taken === undefined ? undefined : contentsOf(taken, snapshot);
  }
}

/** Whether the files with the conversations are what they were when the snapshot was made; all of them are read. */
export async function areConversationsSound(snapshot: SnapshotPlace, signal: AbortSignal): Promise<boolean> {
  const { problems } = await verifySnapshot(snapshot, { signal, select: ({ path }) => isConversationFile(path) });
  return !problems.some(({ path }) => path === SUMS_FILE || isConversationFile(path));
}

async function contentsOf(inventory: Inventory, snapshot: SnapshotPlace): Promise<Contents> {
  const files = (await readSumsOf(snapshot.path)).filter(({ path }) => isContentFile(path));
  return {
    conversations: inventory.conversations,
    files: new Map(files.map(({ path, sha256: content }) => [content, path] as const)),
    unread: unreadIn(inventory),
  };
}

function unreadIn({ ledger, reports }: Inventory): string | undefined {
  const isReason = (reason: string): reason is ReportReason => reason in REPORT_REASONS;
  const reasons = Object.keys(reports).filter(isReason);
  const hiding = reasons.filter(
    (reason) =>
      MAY_HIDE_MORE.includes(reason) || (REPORT_REASONS[reason] === 'lost' && !NOT_THERE_ANYWAY.includes(reason)),
  );
  if (ledger.conversations.unread + ledger.messages.unread + hiding.length === 0) return undefined;
  return 'what is in it could not be read in full';
}
