import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type ExportFile, ReportBook, readLayout } from '../../chatgpt/index.ts';
import { errorCode } from '../../lib/errors.ts';
import { sha256OfFile } from '../../lib/hash.ts';
import { giveBackLog } from '../database.ts';
import type { CatalogSource } from '../source.ts';
import { forgetMissing } from './forget.ts';
import { MessageBatch } from './message-batch.ts';
import { buffersOf, MessageTable, type MessageTableData } from './message-table.ts';
import { ReadingThread } from './read-apart.ts';
import { countsIn, type KnownRecord, type Piece, type ReadingJob, readPieces, type VersionRecord } from './records.ts';
import { Store } from './store.ts';
import { indexByConversation, setMerging } from './upkeep.ts';

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
  /** From how many bytes on they are read by a thread of their own: below that they are read before it has started. */
  readonly threadFromBytes?: number;
}

const THREAD_FROM_BYTES = 8_000_000;
/** From how many bytes on the index is merged as rarely as it can be. */
const RARE_MERGES_FROM_BYTES = 100_000_000;
/** What tables of messages may take until they are written and given back; a full batch is less. */
const MOST_HELD_BYTES = 64 * 1024 * 1024;

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
  const { threadFromBytes = THREAD_FROM_BYTES } = options;
  setMerging(database, indexer.total < RARE_MERGES_FROM_BYTES ? 'always' : 'rarely');
  await using thread = indexer.total < threadFromBytes ? undefined : new ReadingThread(directoryOf(database));
  for (const plan of plans) await indexer.index(plan, thread);
  // Also where an earlier update has come to its last snapshot, and no further.
  indexByConversation(database);
  setMerging(database, 'always');
  if (plans.length > 0) giveBackLog(database);
  return indexer.report;
}

function heldBy(table: MessageTableData): number {
  return buffersOf(table).reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function directoryOf(database: DatabaseSync): string {
  return dirname(database.location() ?? '');
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

  async index({ source, files, reports }: Plan, thread: ReadingThread | undefined): Promise<void> {
    const { account, name, directory, exportTime } = source;
    this.#store.begin();
    try {
      const snapshot = this.#store.openSnapshot(account, name, directory, exportTime);
      this.#store.clearPlaces(snapshot);
      const unread = new Map<number, ExportFile>();
      for (const [place, file] of files.entries()) {
        const sha256 = source.sums[file.path] ?? (await sha256OfFile(join(directory, file.path), this.#options.signal));
        const content = this.#store.openContent(account, sha256);
        this.#store.place(snapshot, place, file.path, content.id);
        if (content.whole || unread.has(content.id)) this.#advance(file.bytes);
        else unread.set(content.id, file);
      }
      await this.#indexFiles(source, unread, thread);
      this.#batch.flush();
      this.#store.closeSnapshot(snapshot, exportTime, JSON.stringify(countsIn(reports)));
      this.#store.commit();
      this.#snapshots += 1;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  async #indexFiles(
    source: CatalogSource,
    contents: ReadonlyMap<number, ExportFile>,
    thread: ReadingThread | undefined,
  ): Promise<void> {
    if (contents.size === 0) return;
    const { account, directory } = source;
    const [numbers, files] = [[...contents.keys()], [...contents.values()]];
    const tables: MessageTableData[] = [];
    let held = 0;
    let place = 0;
    for await (const piece of this.#read({ account, directory, files }, thread)) {
      const [content = 0, file] = [numbers[place], files[place]];
      if (piece.kind === 'file-end') {
        this.#store.closeContent(content, piece.found, piece.unread, JSON.stringify(piece.reports));
        this.#conversations.found += piece.found;
        this.#conversations.unread += piece.unread;
        this.#bytes += file?.bytes ?? 0;
        this.#advance(file?.bytes ?? 0);
        place += 1;
        continue;
      }
      const table = new MessageTable(piece.table);
      tables.push(piece.table);
      held += heldBy(piece.table);
      for (const record of piece.records) this.#take(record, table, source, content);
      // Of what is known nothing is in the batch, but it is read all the same.
      if (!this.#batch.isFull && held < MOST_HELD_BYTES) continue;
      this.#batch.flush();
      for (const table of tables.splice(0)) thread?.giveBack(table);
      held = 0;
      this.#store.commit();
      this.#store.begin();
      this.#options.onProgress?.(this.#done + piece.upTo, this.total);
    }
  }

  #read(job: ReadingJob, thread: ReadingThread | undefined): AsyncGenerator<Piece, void> {
    const { signal } = this.#options;
    return thread === undefined ? readPieces(this.#database, job, { signal }) : thread.read(job, signal);
  }

  #take(
    record: KnownRecord | VersionRecord,
    table: MessageTable,
    { account, exportTime }: CatalogSource,
    content: number,
  ): void {
    const { kind, index, offset, fingerprint } = record;
    if (kind === 'known') {
      const version = this.#store.knownVersion(account, fingerprint.digest);
      if (version === undefined) throw new Error('A conversation that was taken for known is not.');
      this.#store.addMember(content, index, version, offset, fingerprint);
      this.#conversations.known += 1;
      return;
    }
    const stored = this.#store.openConversation(account, record.id);
    const version = this.#store.addVersion(stored.id, record);
    this.#store.addMember(content, index, version, offset, fingerprint);
    this.#batch.add(table, record.messages, {
      conversation: stored.id,
      version,
      hasEarlier: !stored.isNew,
      isOlder: !stored.isNew && this.#store.lastSeenAt(stored.id) > exportTime,
    });
    this.#conversations.indexed += 1;
    const messages = record.messages.to - record.messages.from;
    this.#messages.found += messages + record.unreadMessages;
    this.#messages.indexed += messages;
    this.#messages.unread += record.unreadMessages;
  }

  #advance(bytes: number): void {
    this.#done += bytes;
    this.#options.onProgress?.(this.#done, this.total);
  }
}
