import type { DatabaseSync } from 'node:sqlite';
import { type Conversation, ExportReader, identityOf, type ReadableConversation } from '../chatgpt/index.ts';
import { numberOfFile, openForReading } from './database.ts';
import {
  type CatalogConversation,
  type Choices,
  type ConversationFilter,
  type ConversationVersion,
  choicesOf,
  conversationByNumber,
  conversationOfAccount,
  conversationsById,
  countConversations,
  listConversations,
  numbersById,
  placesOf,
  versionsOf,
} from './reading/conversations.ts';
import { type SearchOptions, type SearchResult, search } from './reading/search.ts';
import { type Shelves, shelvesOf } from './reading/shelves.ts';
import { type IndexedSnapshot, indexedSnapshots, type Statistics, statistics } from './reading/statistics.ts';

/** A state of a conversation, as it was read from a snapshot. */
export interface OpenedConversation {
  readonly conversation: Conversation;
  /** The name of the snapshot that it was read from, and the reader of that. */
  readonly snapshot: string;
  readonly reader: ExportReader;
  readonly readable: ReadableConversation;
}

/** Listing a snapshot's files takes some milliseconds; whoever reads stays with a few snapshots. */
const READERS_KEPT = 4;

/**
 * The catalog, open for reading: the conversations of all snapshots, found by their words. Several processes may have
 * it open, also while one brings it up to date.
 */
export class Catalog implements Disposable {
  readonly #database: DatabaseSync;
  readonly #directory: string;
  readonly #file: number | undefined;
  readonly #readers = new Map<string, Promise<ExportReader>>();

  private constructor(database: DatabaseSync, directory: string) {
    this.#database = database;
    this.#directory = directory;
    this.#file = numberOfFile(directory);
  }

  /** Undefined where there is none yet, or one of another version. */
  static open(directory: string): Catalog | undefined {
    const database = openForReading(directory);
    return database === undefined ? undefined : new Catalog(database, directory);
  }

  /** Whether it was made anew since it was opened: then this one is what it was before. */
  get isReplaced(): boolean {
    return numberOfFile(this.#directory) !== this.#file;
  }

  /** The snapshots that are in it as a whole, oldest first. */
  snapshots(): IndexedSnapshot[] {
    return indexedSnapshots(this.#database);
  }

  search(typed: string, options: SearchOptions): Promise<SearchResult> {
    return search(this.#database, typed, options);
  }

  /** Conversations, the one with the newest message first. */
  conversations(
    filter: ConversationFilter,
    page: { readonly limit: number; readonly offset?: number },
  ): CatalogConversation[] {
    return listConversations(this.#database, filter, page);
  }

  count(filter: ConversationFilter): number {
    return countConversations(this.#database, filter);
  }

  conversation(number: number): CatalogConversation | undefined {
    return conversationByNumber(this.#database, number);
  }

  /** The one of exactly that id. */
  find(account: string, id: string): CatalogConversation | undefined {
    return conversationOfAccount(this.#database, account, id);
  }

  /** What conversations can be chosen by. */
  choices(): Choices {
    return choicesOf(this.#database);
  }

  /** Those of that id, or whose ids begin with it; of every account. */
  byId(id: string, limit: number): CatalogConversation[] {
    return conversationsById(this.#database, id, limit);
  }

  /** The numbers of those of these ids that are in it. */
  numbersOf(account: string, ids: readonly string[]): ReadonlyMap<string, number> {
    return numbersById(this.#database, account, ids);
  }

  /** The states that a conversation has had, the oldest first. */
  versions(conversation: number): ConversationVersion[] {
    return versionsOf(this.#database, conversation);
  }

  shelves(account: string): Shelves {
    return shelvesOf(this.#database, account);
  }

  statistics(account?: string): Statistics {
    return statistics(this.#database, account);
  }

  /**
   * Reads a state of a conversation from a snapshot that has it. Undefined where no snapshot gives it any more.
   * @param through the node that the path is to lead through; the main path without it
   */
  async read(version: number, id: string, through?: string): Promise<OpenedConversation | undefined> {
    for (const { snapshot, directory, file, offset, bytes } of placesOf(this.#database, version)) {
      const reader = await this.#reader(directory).catch(() => undefined);
      const conversation = await reader?.conversationAt(file, { offset, bytes });
      if (reader === undefined || conversation === undefined || identityOf(conversation) !== id) continue;
      return { conversation, snapshot, reader, readable: await reader.readable(conversation, through) };
    }
    return undefined;
  }

  #reader(directory: string): Promise<ExportReader> {
    const reader = this.#readers.get(directory) ?? ExportReader.open(directory);
    this.#readers.delete(directory);
    this.#readers.set(directory, reader);
    for (const oldest of this.#readers.keys()) if (this.#readers.size > READERS_KEPT) this.#readers.delete(oldest);
    return reader;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
