import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Fingerprint } from '../../chatgpt/index.ts';
import { indexedText } from '../indexed-text.ts';
import type { VersionRecord } from './records.ts';

/** Whether a conversation was there before, and where its messages belong. */
export interface StoredConversation {
  readonly id: number;
  readonly isNew: boolean;
}

/** The statements that write, all but those of messages. */
export class Store {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE');
  }

  commit(): void {
    this.#database.exec('COMMIT');
  }

  /** The number of a snapshot, which is there afterwards, not yet as a whole. */
  openSnapshot(account: string, name: string, directory: string, exportTime: number): number {
    return numberIn(
      this.#prepare(
        `INSERT INTO snapshot (account, name, directory, export_time) VALUES (?, ?, ?, ?)
         ON CONFLICT (account, name) DO UPDATE SET directory = excluded.directory, export_time = excluded.export_time
         RETURNING id AS number`,
      ).get(account, name, directory, exportTime),
    );
  }

  /** The content of a file: its number, and whether all of it is in. */
  openContent(account: string, sha256: string): { readonly id: number; readonly whole: boolean } {
    this.#prepare('INSERT OR IGNORE INTO content (account, sha256) VALUES (?, ?)').run(account, sha256);
    const row = this.#prepare('SELECT id, whole FROM content WHERE account = ? AND sha256 = ?').get(account, sha256);
    return { id: Number(row?.id), whole: row?.whole === 1 };
  }

  closeContent(content: number, found: number, unread: number, reports: string): void {
    this.#prepare('UPDATE content SET whole = 1, found = ?, unread = ?, reports = ? WHERE id = ?').run(
      found,
      unread,
      reports,
      content,
    );
  }

  clearPlaces(snapshot: number): void {
    this.#prepare('DELETE FROM placed WHERE snapshot = ?').run(snapshot);
  }

  place(snapshot: number, place: number, path: string, content: number): void {
    this.#prepare('INSERT INTO placed (snapshot, place, path, content) VALUES (?, ?, ?, ?)').run(
      snapshot,
      place,
      path,
      content,
    );
  }

  /** The state of that digest, where the account has it. */
  knownVersion(account: string, digest: string): number | undefined {
    const row = this.#prepare(
      `SELECT v.id FROM version v JOIN conversation c ON c.id = v.conversation WHERE v.digest = ? AND c.account = ?`,
    ).get(digest, account);
    return row === undefined ? undefined : Number(row.id);
  }

  openConversation(account: string, providerId: string): StoredConversation {
    const find = this.#prepare('SELECT id FROM conversation WHERE account = ? AND provider_id = ?');
    const row = find.get(account, providerId);
    if (row !== undefined) return { id: Number(row.id), isNew: false };
    const insert = this.#prepare('INSERT INTO conversation (account, provider_id) VALUES (?, ?)');
    return { id: Number(insert.run(account, providerId).lastInsertRowid), isNew: true };
  }

  addVersion(conversation: number, { fingerprint, messages, ...version }: VersionRecord): number {
    const insert = this.#prepare(
      `INSERT INTO version (conversation, digest, title, created_at, updated_at, newest_at, model, schema, archived,
         starred, gizmo, spoken, branches, messages, slim_messages, unread_messages)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const { lastInsertRowid } = insert.run(
      conversation,
      fingerprint.digest,
      version.title ?? null,
      version.createdAt ?? null,
      version.updatedAt ?? null,
      version.newestAt ?? null,
      version.model ?? null,
      version.schema,
      flag(version.archived),
      flag(version.starred),
      version.gizmo ?? null,
      Number(version.spoken),
      version.branches,
      messages.to - messages.from,
      version.slimMessages,
      version.unreadMessages,
    );
    return Number(lastInsertRowid);
  }

  addMember(content: number, place: number, version: number, offset: number, fingerprint: Fingerprint): void {
    this.#prepare(
      'INSERT OR REPLACE INTO member (content, place, version, offset, bytes, checksum) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(content, place, version, offset, fingerprint.bytes, fingerprint.checksum);
  }

  /** When the conversation was last seen so far, ms UTC. */
  lastSeenAt(conversation: number): number {
    const row = this.#prepare('SELECT last_seen_at FROM conversation WHERE id = ?').get(conversation);
    return Number(row?.last_seen_at ?? 0);
  }

  /** Everything of the snapshot is in: its conversations have been seen, and have a newest state. */
  closeSnapshot(snapshot: number, exportTime: number, reports: string): void {
    const seen = this.#prepare(
      `SELECT v.conversation, max(m.version) AS version
       FROM placed p JOIN member m ON m.content = p.content JOIN version v ON v.id = m.version
       WHERE p.snapshot = ? GROUP BY v.conversation`,
    ).all(snapshot);
    const first = this.#prepare(
      `UPDATE conversation SET first_seen = ?, first_seen_at = ?
       WHERE id = ? AND (first_seen_at IS NULL OR first_seen_at > ?)`,
    );
    const last = this.#prepare(
      `UPDATE conversation SET last_seen = ?, last_seen_at = ?
       WHERE id = ? AND (last_seen_at IS NULL OR last_seen_at <= ?)`,
    );
    const head = this.#prepare('UPDATE conversation SET head = ? WHERE id = ? AND head IS NOT ?');
    for (const { conversation = null, version = null } of seen) {
      first.run(snapshot, exportTime, conversation, exportTime);
      if (last.run(snapshot, exportTime, conversation, exportTime).changes === 0) continue;
      if (head.run(version, conversation, version).changes !== 0) this.#indexTitles(Number(conversation));
    }
    this.#prepare(
      `UPDATE snapshot SET whole = 1, reports = ?2,
         found = (SELECT coalesce(sum(found), 0) FROM content WHERE id IN (SELECT content FROM placed WHERE snapshot = ?1)),
         unread = (SELECT coalesce(sum(unread), 0) FROM content WHERE id IN (SELECT content FROM placed WHERE snapshot = ?1)),
         schema = (SELECT v.schema FROM placed p JOIN member m ON m.content = p.content JOIN version v ON v.id = m.version
                   WHERE p.snapshot = ?1 GROUP BY v.schema ORDER BY count(*) DESC LIMIT 1)
       WHERE id = ?1`,
    ).run(snapshot, reports);
  }

  /** A conversation is found by each title that it has had. */
  #indexTitles(conversation: number): void {
    const titles = this.#prepare('SELECT DISTINCT title FROM version WHERE conversation = ? AND title IS NOT NULL');
    const text = titles.all(conversation).map(({ title }) => String(title));
    this.#prepare('INSERT OR REPLACE INTO title_index (rowid, title) VALUES (?, ?)').run(
      conversation,
      indexedText(text.join('\n')),
    );
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function numberIn(row: Record<string, SQLOutputValue> | undefined): number {
  return Number(row?.number);
}

function flag(value: boolean | undefined): number | null {
  return value === undefined ? null : Number(value);
}
