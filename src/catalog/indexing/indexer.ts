import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import {
  type ConversationReading,
  type ExportFile,
  identityOf,
  type KnownReading,
  messagesOf,
  nodePlaces,
  ReportBook,
  readConversationsFile,
  readLayout,
} from '../../chatgpt/index.ts';
import { errorCode } from '../../lib/errors.ts';
import { sha256OfFile } from '../../lib/hash.ts';
import type { CatalogSource } from '../source.ts';
import { Expectation } from './expectation.ts';
import { forgetMissing } from './forget.ts';
import { MessageBatch } from './message-batch.ts';
import { Store } from './store.ts';

/** What an update of the catalog has done. */
export interface IndexReport {
  /** Snapshots that were not in it, or not as a whole. */
  readonly snapshots: number;
  /** Of the files that had to be read: `found` is the sum of the others. */
  readonly conversations: {
    readonly found: number;
    /** In a state that was known: not read again. */
    readonly known: number;
    readonly indexed: number;
    /** Could not be read; the snapshot's reports say why. */
    readonly unread: number;
  };
  /** Of the conversations that were indexed. */
  readonly messages: { readonly found: number; readonly indexed: number; readonly unread: number };
  /** What the files that were read have together. */
  readonly bytes: number;
}

export interface IndexOptions {
  readonly signal?: AbortSignal;
  /** Told now and then; in bytes of conversations, over all snapshots that are not in yet. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Brings the catalog up to the snapshots that there are: what is in it is not read again, what is no longer there is
 * forgotten. Ended anywhere, the next call goes on from the last batch that was written.
 *
 * @throws what SQLite and the file system say; the signal's reason
 */
export async function indexSnapshots(
  database: DatabaseSync,
  sources: readonly CatalogSource[],
  options: IndexOptions = {},
): Promise<IndexReport> {
  forgetMissing(database, sources);
  const indexer = new Indexer(database, options);
  const missing = sources.toSorted((a, b) => a.exportTime - b.exportTime).filter((source) => !indexer.has(source));
  const plans = [];
  for (const source of missing) {
    const plan = await planOf(source, options.signal);
    if (plan !== undefined) plans.push(plan);
  }
  indexer.total = plans.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const plan of plans) await indexer.index(plan);
  return indexer.report;
}

/** What of a snapshot is to be read. */
interface Plan {
  readonly source: CatalogSource;
  readonly files: readonly ExportFile[];
  readonly bytes: number;
  readonly reports: ReportBook;
}

/** Undefined where the snapshot has gone in the meantime. */
async function planOf(source: CatalogSource, signal: AbortSignal | undefined): Promise<Plan | undefined> {
  try {
    const { parts, unopened } = await readLayout(source.directory, signal);
    const files = parts.flatMap(({ conversations }) => conversations);
    const reports = new ReportBook();
    if (files.length === 0) reports.add('no-conversations-file', { file: '' });
    for (const { path } of unopened) reports.add('archive-unopened', { file: path });
    return { source, files, reports, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

class Indexer {
  readonly #database: DatabaseSync;
  readonly #store: Store;
  readonly #batch: MessageBatch;
  readonly #options: IndexOptions;
  readonly #conversations = { found: 0, known: 0, indexed: 0, unread: 0 };
  readonly #messages = { found: 0, indexed: 0, unread: 0 };
  #snapshots = 0;
  #bytes = 0;
  #done = 0;
  total = 0;

  constructor(database: DatabaseSync, options: IndexOptions) {
    this.#database = database;
    this.#store = new Store(database);
    this.#batch = new MessageBatch(database);
    this.#options = options;
  }

  get report(): IndexReport {
    return {
      snapshots: this.#snapshots,
      conversations: this.#conversations,
      messages: this.#messages,
      bytes: this.#bytes,
    };
  }

  /** Whether the snapshot is in the catalog as a whole. Where it lies may have changed. */
  has({ account, name, directory }: CatalogSource): boolean {
    const update = this.#database.prepare(
      'UPDATE snapshot SET directory = ? WHERE account = ? AND name = ? AND whole = 1',
    );
    return update.run(directory, account, name).changes === 1;
  }

  async index({ source, files, reports }: Plan): Promise<void> {
    const { account, name, directory, exportTime } = source;
    const known = Expectation.of(
      this.#database,
      account,
      (digest) => this.#store.knownVersion(account, digest) !== undefined,
    );
    this.#store.begin();
    try {
      const snapshot = this.#store.openSnapshot(account, name, directory, exportTime);
      this.#store.clearPlaces(snapshot);
      for (const [place, file] of files.entries()) {
        const sha256 = source.sums[file.path] ?? (await sha256OfFile(join(directory, file.path), this.#options.signal));
        const content = this.#store.openContent(account, sha256);
        this.#store.place(snapshot, place, file.path, content.id);
        if (!content.whole) await this.#indexFile({ source, file, content: content.id, known });
        this.#advance(file.bytes);
      }
      this.#batch.flush();
      this.#store.closeSnapshot(snapshot, exportTime, JSON.stringify(countsIn(reports)));
      this.#store.commit();
      this.#snapshots += 1;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  async #indexFile(reading: FileReading): Promise<void> {
    const { source, file, content, known } = reading;
    const { signal } = this.#options;
    const reports = new ReportBook();
    let [found, unread] = [0, 0];
    const before = this.#done;
    for await (const one of readConversationsFile(source.directory, file, { reports, known, signal })) {
      found += 1;
      if (one.kind === 'unread') unread += 1;
      else this.#take(one, reading, reports);
      if (!this.#batch.isFull) continue;
      this.#batch.flush();
      this.#store.commit();
      this.#store.begin();
      if (one.kind !== 'unread') this.#options.onProgress?.(before + one.offset + one.bytes, this.total);
    }
    this.#store.closeContent(content, found, unread, JSON.stringify(countsIn(reports)));
    this.#conversations.found += found;
    this.#conversations.unread += unread;
    this.#bytes += file.bytes;
  }

  #take(
    reading: Extract<ConversationReading, { kind: 'conversation' }> | KnownReading,
    { source: { account, exportTime }, content, known }: FileReading,
    reports: ReportBook,
  ): void {
    const { fingerprint, index, offset } = reading;
    if (fingerprint === undefined) return;
    if (reading.kind === 'known') {
      const version = this.#store.knownVersion(account, fingerprint.digest);
      if (version === undefined) throw new Error('A conversation that was taken for known is not.');
      this.#store.addMember(content, index, version.version, offset, fingerprint);
      known.saw(version.conversation);
      this.#conversations.known += 1;
      return;
    }
    const { conversation, raw, file } = reading;
    const messages = messagesOf(conversation);
    const withMessage = Object.values(conversation.raw.mapping ?? {}).filter(hasMessage).length;
    const unreadMessages = withMessage - messages.length;
    if (conversation.id === undefined) reports.add('conversation-without-id', { file, index });
    const stored = this.#store.openConversation(account, identityOf(conversation));
    const version = this.#store.addVersion(stored.id, fingerprint, conversation, messages, unreadMessages);
    this.#store.addMember(content, index, version, offset, fingerprint);
    this.#batch.add(conversation, {
      conversation: stored.id,
      version,
      hasEarlier: !stored.isNew,
      isOlder: !stored.isNew && this.#store.lastSeenAt(stored.id) > exportTime,
      placeOf: nodePlaces(raw),
    });
    known.saw(stored.id);
    this.#conversations.indexed += 1;
    this.#messages.found += withMessage;
    this.#messages.indexed += messages.length;
    this.#messages.unread += unreadMessages;
  }

  #advance(bytes: number): void {
    this.#done += bytes;
    this.#options.onProgress?.(this.#done, this.total);
  }
}

interface FileReading {
  readonly source: CatalogSource;
  readonly file: ExportFile;
  readonly content: number;
  readonly known: Expectation;
}

/** A node that has none says so by null, or by nothing. */
function hasMessage(node: unknown): boolean {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return true;
  return 'message' in node && node.message !== null && node.message !== undefined;
}

function countsIn(reports: ReportBook): Record<string, number> {
  return Object.fromEntries(Object.entries(reports.all()).map(([reason, { count }]) => [reason, count]));
}
