import { branchesOf, type Conversation, mainPath, messagesOf } from '../conversation/conversation.ts';
import { assetsOf, isSpoken, type Message, type Role } from '../conversation/message.ts';
import { type ConversationReading, readConversations } from '../conversation/read.ts';
import type { ElementBudget } from '../json/elements.ts';
import { type AssetKind, kindOfAsset } from '../layout/asset-types.ts';
import { AssetIndex, assetIdOf, isGeneratedByPlace } from '../layout/assets.ts';
import { checkManifests } from '../layout/completeness.ts';
import { type ExportLayout, readLayout } from '../layout/layout.ts';
import { ReportBook } from '../reports.ts';
import { GenerationGuess } from './generation.ts';
import type { AssetEntry, ConversationEntry, Inventory } from './inventory.ts';
import { countRecords, identityOf, mergeRecords, recordsOf, rolesIn } from './records.ts';

export interface InventoryOptions {
  readonly budget?: ElementBudget;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes stock of an unpacked export, of any generation, in one pass over its conversations. However strange the export,
 * nothing is thrown for it: what was not understood is in the inventory's reports, and its ledger tells where
 * everything went.
 *
 * @param directory of the export; it may hold more than one part
 * @throws what the file system says of the directory itself; the signal's reason
 */
export async function takeInventory(directory: string, options: InventoryOptions = {}): Promise<Inventory> {
  const layout = await readLayout(directory, options.signal);
  const reports = new ReportBook();
  checkManifests(layout, reports);
  const stock = new Stock(reports);
  for await (const reading of readConversations(layout, { ...options, reports })) stock.add(reading);
  return stock.close(layout, options.signal);
}

class Stock {
  readonly #reports: ReportBook;
  readonly #generation = new GenerationGuess();
  readonly #conversations = new Map<string, ConversationEntry>();
  readonly #voice = new Set<string>();
  /** The assets that messages point to; true for those made by ChatGPT. */
  readonly #pointedTo = new Map<string, boolean>();
  #branches = 0;
  #bytes = 0;
  #found = 0;
  #repeated = 0;
  #unread = 0;
  #messagesFound = 0;
  #messagesRepeated = 0;

  constructor(reports: ReportBook) {
    this.#reports = reports;
  }

  add(reading: ConversationReading): void {
    this.#found += 1;
    this.#bytes += reading.bytes;
    if (reading.kind === 'unread') {
      this.#unread += 1;
      return;
    }
    const { conversation, file, index } = reading;
    const messages = messagesOf(conversation);
    const records = recordsOf(conversation);
    const id = identityOf(conversation, records);
    if (conversation.id === undefined) this.#reports.add('conversation-without-id', { file, index });
    mainPath(conversation, (reason, detail) => this.#reports.add(reason, { file, index, detail }));
    this.#generation.see(conversation);
    this.#branches += branchesOf(conversation);
    this.#messagesFound += messages.length;
    if (messages.some(isSpoken)) this.#voice.add(id);
    for (const message of messages) this.#noteAssets(message);
    this.#keep(entryOf(id, conversation, messages, records), { file, index });
  }

  #keep(entry: ConversationEntry, place: { readonly file: string; readonly index: number }): void {
    const earlier = this.#conversations.get(entry.id);
    if (earlier === undefined) {
      this.#conversations.set(entry.id, entry);
      return;
    }
    this.#reports.add('conversation-repeated', { ...place, detail: entry.id });
    this.#repeated += 1;
    const messages = mergeRecords(earlier.messages, entry.messages);
    this.#messagesRepeated += countRecords(earlier.messages) + countRecords(entry.messages) - countRecords(messages);
    const newestMessageAt = Math.max(earlier.newestMessageAt ?? 0, entry.newestMessageAt ?? 0) || undefined;
    this.#conversations.set(entry.id, { ...earlier, messages, newestMessageAt });
  }

  #noteAssets(message: Message): void {
    for (const id of assetsOf(message)) this.#pointedTo.set(id, this.#pointedTo.get(id) ?? false);
    for (const part of message.parts)
      if (part.kind === 'image' && part.generated) this.#pointedTo.set(part.asset, true);
  }

  async close(layout: ExportLayout, signal: AbortSignal | undefined): Promise<Inventory> {
    const index = new AssetIndex(layout.assets);
    const counted: Record<AssetKind, number> = { image: 0, audio: 0, video: 0, other: 0 };
    const assets = new Map<string, AssetEntry>();
    for (const { path } of layout.assets) {
      signal?.throwIfAborted();
      const id = assetIdOf(path);
      const kind = isDocumentPage(path) ? 'other' : await kindOfAsset(layout.directory, path);
      counted[kind] += 1;
      if (id === undefined) continue;
      assets.set(id, { kind, generated: isGeneratedByPlace(path) || this.#pointedTo.get(id) === true });
    }
    const missing = [...this.#pointedTo.keys()].filter((id) => index.fileOf(id) === undefined);
    const entries = [...this.#conversations.values()];
    const kept = entries.reduce((sum, { messages }) => sum + countRecords(messages), 0);
    const unreadMessages = this.#reports.countOf('message-not-understood');
    return {
      generation: this.#generation.of(layout),
      counts: {
        conversations: entries.length,
        messages: kept,
        messagesByRole: countRoles(entries),
        voiceConversations: this.#voice.size,
        branches: this.#branches,
        assets: counted,
        missingAssets: missing.length,
        conversationBytes: this.#bytes,
      },
      ledger: {
        conversations: {
          found: this.#found,
          kept: entries.length,
          repeated: this.#repeated,
          unread: this.#unread,
        },
        messages: {
          found: this.#messagesFound + unreadMessages,
          kept,
          repeated: this.#messagesRepeated,
          unread: unreadMessages,
        },
      },
      reports: this.#reports.all(),
      conversations: this.#conversations,
      assets,
    };
  }
}

function entryOf(
  id: string,
  conversation: Conversation,
  messages: readonly Message[],
  records: Buffer,
): ConversationEntry {
  const newest = messages.reduce((latest, { createdAt }) => Math.max(latest, createdAt ?? 0), 0);
  const { title, createdAt, schema, archived, starred } = conversation;
  return {
    id,
    title,
    createdAt,
    newestMessageAt: newest === 0 ? undefined : newest,
    schema,
    archived,
    starred,
    messages: records,
  };
}

function countRoles(entries: readonly ConversationEntry[]): Record<Role, number> {
  const counts: Record<Role, number> = { user: 0, assistant: 0, system: 0, tool: 0, other: 0 };
  for (const { messages } of entries) for (const role of rolesIn(messages)) counts[role] += 1;
  return counts;
}

/** `file-<id>_data/page_1.jpg`: made of an upload for ChatGPT to look at. */
function isDocumentPage(path: string): boolean {
  return /(?:^|\/)file[-_][^/]+_data\/[^/]+$/.test(path);
}
