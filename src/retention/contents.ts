import {
  type ConversationEntry,
  type Inventory,
  isContentFile,
  REPORT_REASONS,
  type ReportReason,
} from '../chatgpt/index.ts';
import { digestOfSums, readSumsOf, type SnapshotPlace } from '../snapshot/index.ts';
import { Inventories, type InventoriesOptions } from './inventories.ts';

/** What a snapshot holds. */
export interface Contents {
  readonly conversations: ReadonlyMap<string, ConversationEntry>;
  /** The content files (assets, and files of kinds that are not known): a path of each by its SHA-256. */
  readonly files: ReadonlyMap<string, string>;
  /** Why there may be more in it than that, a sentence; undefined where all was read. */
  readonly unread: string | undefined;
}

/** Inventories are some megabytes each; what is compared is near in time. */
const INVENTORIES_IN_MEMORY = 4;

/** What is not there was not lost from this export: the export came without it. */
const NOT_THERE_ANYWAY: readonly ReportReason[] = ['file-missing', 'file-wrong-size'];
/** Of a conversation that stands twice in an export, the inventory has the messages of both, but each in one version. */
const MAY_HIDE_MORE: readonly ReportReason[] = ['conversation-repeated'];

/** Reads what snapshots hold, from their inventories. */
export class ContentReader {
  readonly #inventories: Inventories;
  readonly #recent = new Map<string, Contents | undefined>();

  constructor(options: InventoriesOptions) {
    this.#inventories = new Inventories(options);
  }

  /**
   * Undefined where the snapshot is too damaged for anything to be said.
   * @throws the signal's reason; what the file system says of the state directory
   */
  async read(snapshot: SnapshotPlace): Promise<Contents | undefined> {
    const key = await digestOfSums(snapshot);
    if (key === undefined) return undefined;
    const contents = this.#recent.has(key) ? this.#recent.get(key) : await this.#take(snapshot);
    this.#recent.delete(key);
    this.#recent.set(key, contents);
    for (const oldest of this.#recent.keys())
      if (this.#recent.size > INVENTORIES_IN_MEMORY) this.#recent.delete(oldest);
    return contents;
  }

  /** Forgets the inventories of all other snapshots. */
  forgetBut(snapshots: readonly SnapshotPlace[]): Promise<void> {
    return this.#inventories.forgetBut(snapshots);
  }

  async #take(snapshot: SnapshotPlace): Promise<Contents | undefined> {
    const inventory = await this.#inventories.read(snapshot);
    return inventory === undefined ? undefined : contentsOf(inventory, snapshot);
  }
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
