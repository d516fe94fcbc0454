import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { firstIdAt } from '../message-ids.ts';
import type { MessageTable, Rows } from './message-table.ts';
import { indexByConversation } from './upkeep.ts';

interface PendingMessage {
  /** The first number of its minute. */
  readonly from: number;
  readonly table: MessageTable;
  readonly row: number;
  readonly place: VersionPlace;
}

/** Where the messages of a version belong. */
export interface VersionPlace {
  readonly conversation: number;
  readonly version: number;
  /** The conversation has messages in the catalog already. */
  readonly hasEarlier: boolean;
  /** The snapshot is older than one in which the conversation was seen: what is there already stays with that. */
  readonly isOlder: boolean;
}

/** Texts of that many bytes together are worth a transaction; they are held in memory until then. */
const BATCH_BYTES = 24_000_000;
const BATCH_MESSAGES = 100_000;

/**
 * Collects messages and writes them in the order of their numbers: FTS5 writes what it has gathered to the disk as
 * soon as a number comes that is not larger than the one before.
 */
export class MessageBatch {
  readonly #database: DatabaseSync;
  readonly #earlier: StatementSync;
  readonly #move: StatementSync;
  readonly #insert: StatementSync;
  readonly #insertText: StatementSync;
  readonly #models = new Map<string, number>();
  readonly #conversations = new Set<number>();
  #pending: PendingMessage[] = [];
  #bytes = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#earlier = database.prepare('SELECT id, key, content FROM message WHERE conversation = ?');
    this.#move = database.prepare('UPDATE message SET version = ?, place = ? WHERE id = ?');
    this.#insert = database.prepare(
      `INSERT INTO message (id, conversation, key, content, role, model, dated, hidden, version, place)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#insertText = database.prepare('INSERT INTO text_index (rowid, text) VALUES (?, ?)');
  }

  get isFull(): boolean {
    return this.#bytes >= BATCH_BYTES || this.#pending.length >= BATCH_MESSAGES;
  }

  /** Takes the messages of a version: those that are new to the conversation; the others are in this version, too. */
  add(table: MessageTable, rows: Rows, place: VersionPlace): void {
    const { conversation, version, hasEarlier, isOlder } = place;
    if (this.#conversations.has(conversation)) this.flush();
    this.#conversations.add(conversation);
    const earlier = hasEarlier ? this.#earlierOf(conversation) : undefined;
    const met = new KeyedContents();
    for (let row = rows.from; row < rows.to; row += 1) {
      const { key, content, time, place: offset = null } = table.row(row);
      const there = earlier?.get(`${key}/${content}`);
      if (there !== undefined && !isOlder) this.#move.run(version, offset, there);
      if (there !== undefined || !met.add(key, content)) continue;
      this.#bytes += table.text(row).length;
      this.#pending.push({ from: firstIdAt(time), table, row, place });
    }
  }

  /** The numbers of the messages that a conversation has in the catalog. */
  #earlierOf(conversation: number): Map<string, number> {
    indexByConversation(this.#database);
    const rows = this.#earlier.all(conversation);
    return new Map(rows.map(({ id, key, content }) => [`${key}/${content}`, Number(id)] as const));
  }

  /** Writes what was collected, within the transaction that is open. */
  flush(): void {
    const pending = this.#pending.sort((a, b) => a.from - b.from);
    let [from, next] = [-1, 0];
    for (const message of pending) {
      if (message.from !== from) [from, next] = [message.from, message.from];
      next = this.#write(message, next) + 1;
    }
    this.#pending = [];
    this.#bytes = 0;
    this.#conversations.clear();
  }

  /** Gives the number that the message got: the first that is free. */
  #write({ table, row, place: { conversation, version } }: PendingMessage, from: number): number {
    const { key, content, role, model, dated, hidden, place = null } = table.row(row);
    const rest = [
      conversation,
      key,
      content,
      role,
      this.#modelId(model),
      Number(dated),
      Number(hidden),
      version,
      place,
    ];
    let id = from;
    while (this.#insert.run(id, ...rest).changes === 0) id += 1;
    const text = table.text(row);
    if (text.length > 0) this.#insertText.run(id, text);
    return id;
  }

  #modelId(name: string | undefined): number | null {
    if (name === undefined) return null;
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    this.#database.prepare('INSERT OR IGNORE INTO model (name) VALUES (?)').run(name);
    const id = Number(this.#database.prepare('SELECT id FROM model WHERE name = ?').get(name)?.id);
    this.#models.set(name, id);
    return id;
  }
}

/** Which contents have been met, by the key of the message: nearly always one. */
class KeyedContents {
  readonly #contents = new Map<number, number | Set<number>>();

  /** Gives whether it is a new one. */
  add(key: number, content: number): boolean {
    const met = this.#contents.get(key);
    if (met === undefined) this.#contents.set(key, content);
    else if (typeof met === 'number') {
      if (met === content) return false;
      this.#contents.set(key, new Set([met, content]));
    } else {
      if (met.has(content)) return false;
      met.add(content);
    }
    return true;
  }
}
