import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { firstIdAt } from '../message-ids.ts';
import { indexedText } from '../words.ts';
import type { MessageRecord } from './records.ts';

interface PendingMessage {
  /** The first number of its minute. */
  readonly from: number;
  readonly text: string;
  readonly conversation: number;
  readonly key: number;
  readonly content: number;
  readonly role: number;
  readonly model: number | null;
  readonly dated: number;
  readonly hidden: number;
  readonly version: number;
  readonly place: number | null;
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

/** Texts of that many UTF-16 units together are worth a transaction; they are held in memory until then. */
const BATCH_CHARACTERS = 12_000_000;
const BATCH_MESSAGES = 50_000;

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
  #characters = 0;

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
    return this.#characters >= BATCH_CHARACTERS || this.#pending.length >= BATCH_MESSAGES;
  }

  /** Takes the messages of a version: those that are new to the conversation; the others are in this version, too. */
  add(messages: readonly MessageRecord[], { conversation, version, hasEarlier, isOlder }: VersionPlace): void {
    if (this.#conversations.has(conversation)) this.flush();
    this.#conversations.add(conversation);
    const known = new Map<string, number | undefined>();
    if (hasEarlier)
      for (const { id, key, content } of this.#earlier.all(conversation)) known.set(`${key}/${content}`, Number(id));
    for (const { key, content, text, time, dated, role, model, hidden, place = null } of messages) {
      const name = `${key}/${content}`;
      const there = known.get(name);
      if (there !== undefined && !isOlder) this.#move.run(version, place, there);
      if (known.has(name)) continue;
      known.set(name, undefined);
      this.#characters += text.length;
      this.#pending.push({
        from: firstIdAt(time),
        text,
        conversation,
        key,
        content,
        role,
        model: model === undefined ? null : this.#modelId(model),
        dated: Number(dated),
        hidden: Number(hidden),
        version,
        place,
      });
    }
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
    this.#characters = 0;
    this.#conversations.clear();
  }

  /** Gives the number that the message got: the first that is free. */
  #write(message: PendingMessage, from: number): number {
    const { conversation, key, content, role, model, dated, hidden, version, place, text } = message;
    let id = from;
    while (this.#insert.run(id, conversation, key, content, role, model, dated, hidden, version, place).changes === 0)
      id += 1;
    if (text !== '') this.#insertText.run(id, indexedText(text));
    return id;
  }

  #modelId(name: string): number {
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    this.#database.prepare('INSERT OR IGNORE INTO model (name) VALUES (?)').run(name);
    const id = Number(this.#database.prepare('SELECT id FROM model WHERE name = ?').get(name)?.id);
    this.#models.set(name, id);
    return id;
  }
}
