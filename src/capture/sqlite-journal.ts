import { chmodSync, closeSync, openSync } from 'node:fs';
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementResultingChanges,
  type StatementSync,
} from 'node:sqlite';
import { asStorageError, ChatkeepError, errorMessage, sqliteCode } from '../lib/errors.ts';
import { PRIVATE_FILE_MODE } from '../lib/files.ts';
import { type Delivery, messageSchema } from '../notify/index.ts';
import type { Awaited } from './awaited.ts';
import { type Capture, hasEnded } from './capture.ts';
import { decodeAwaited, decodeCapture, encodeAwaited, encodeCapture } from './codec.ts';
import type { HandIn, Journal, JournalEntry, MessageRecord, NewNotification, Told, Undelivered } from './journal.ts';

/** What made version 1 of the tables. */
const CAPTURES_MESSAGES_NOTIFICATIONS = `
  CREATE TABLE captures (
    id TEXT PRIMARY KEY,
    export_id TEXT,
    state TEXT NOT NULL,
    open INTEGER NOT NULL,
    untidy INTEGER NOT NULL,
    found_at INTEGER NOT NULL,
    ended_at INTEGER,
    document TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX one_open_capture_an_export ON captures (export_id) WHERE open = 1 AND export_id IS NOT NULL;
  CREATE INDEX captures_of_export ON captures (export_id);
  CREATE INDEX open_captures ON captures (found_at) WHERE open = 1;
  CREATE TABLE messages (
    mailbox TEXT NOT NULL,
    folder TEXT NOT NULL,
    uid_validity TEXT NOT NULL,
    uid INTEGER NOT NULL,
    message_id TEXT,
    outcome TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (mailbox, folder, uid_validity, uid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX messages_by_id ON messages (message_id);
  CREATE TABLE files (key TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE hand_ins (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    afterwards TEXT NOT NULL,
    account TEXT,
    capture TEXT
  ) STRICT;
  CREATE TABLE notifications (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, message TEXT NOT NULL) STRICT;
  CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    recipient TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL,
    error TEXT,
    delivered_at INTEGER
  ) STRICT;
  CREATE INDEX deliveries_due ON deliveries (recipient, due) WHERE delivered_at IS NULL;
`;

/** Version 2: `at` is the newest moment in the document; `open`: whether a request waits for an answer. */
const AWAITED = `
  CREATE TABLE awaited (
    mailbox TEXT NOT NULL,
    provider TEXT NOT NULL,
    open INTEGER NOT NULL,
    at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (mailbox, provider)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX open_awaited ON awaited (mailbox) WHERE open = 1;
`;

/** Version 3. */
const TOLD = `
  CREATE TABLE told (subject TEXT PRIMARY KEY, what TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Version 4: documents of captures may say that they have ended as unchanged, which no reader before it understands. */
const UNCHANGED = '';

/** Of a service that was down for long, so many messages are in memory at once. */
const MOST_DUE = 500;
const AMONG_IDS = 'WHERE id IN (SELECT value FROM json_each(?))';

/** What leads from each version of the tables to the next; never changed, only added to. A newer journal is refused. */
const MIGRATIONS = [CAPTURES_MESSAGES_NOTIFICATIONS, AWAITED, TOLD, UNCHANGED];
const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * The journal in one SQLite file (WAL, synchronous FULL: a recorded entry survives a power cut). Several processes may
 * have it open at once.
 *
 * @param path made (0600) if missing
 * @throws ChatkeepError `storage` if it cannot be opened, or was written by a newer Chatkeep
 */
export function openSqliteJournal(path: string): Journal {
  return new SqliteJournal(open(path), path);
}

function open(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    makePrivate(path);
    database = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true });
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 200',
    );
    migrate(database, path);
    return database;
  } catch (error) {
    database?.close();
    const known = asJournalError(error, 'open', path);
    throw known instanceof ChatkeepError ? known : damagedJournal(error, 'open', path);
  }
}

/** What SQLite finds in a file that is damaged, or that the disk cannot read: CORRUPT, NOTADB. */
const SQLITE_DAMAGE: readonly number[] = [11, 26];

/** A `storage` error where the journal is damaged, or its disk in trouble; any other error is given back as it is. */
function asJournalError(error: unknown, doing: string, path: string): unknown {
  return SQLITE_DAMAGE.includes(sqliteCode(error) ?? -1)
    ? damagedJournal(error, doing, path)
    : asStorageError(error, `${doing} the journal`, path);
}

function damagedJournal(error: unknown, doing: string, path: string): ChatkeepError {
  return new ChatkeepError('storage', `Could not ${doing} the journal ${path}: ${errorMessage(error)}.`, {
    cause: error,
    next: 'Look whether the disk can be read. If the file is damaged, move it away: no snapshot is lost, and the next start makes a new one.',
  });
}

/** Before SQLite opens it: its companions (-wal, -shm) get the mode that the database has at that moment. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', PRIVATE_FILE_MODE));
  chmodSync(path, PRIVATE_FILE_MODE);
}

function migrate(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
    if (version > SCHEMA_VERSION) {
      throw new ChatkeepError(
        'storage',
        `The journal ${path} was written by a newer Chatkeep (version ${version}; this one reads up to ${SCHEMA_VERSION}).`,
        { next: 'Use the newer Chatkeep, or start this one with another state_dir: no snapshot is lost by that.' },
      );
    }
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
    if (version < SCHEMA_VERSION) database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.exec('COMMIT');
  } catch (error) {
    // After a full disk SQLite may have rolled back by itself, and the reason is what is to be told.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

type Row = Record<string, SQLOutputValue>;

class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
  }

  async record(entry: JournalEntry): Promise<void> {
    this.#inTransaction(() => {
      for (const capture of entry.captures ?? []) this.#putCapture(capture);
      if (entry.message !== undefined) this.#putMessage(entry.message);
      if (entry.fileKey !== undefined) {
        this.#run('INSERT OR IGNORE INTO files (key, at) VALUES (?, ?)', entry.fileKey, Date.now());
      }
      if (entry.accepted !== undefined) {
        this.#run('UPDATE hand_ins SET capture = ? WHERE id = ?', entry.accepted.capture, entry.accepted.handIn);
      }
      if (entry.awaited !== undefined) this.#putAwaited(entry.awaited);
      for (const told of entry.told ?? []) this.#putTold(told);
      for (const notification of entry.notifications ?? []) this.#putNotification(notification);
    });
    // The link of a capture that has ended is to be gone from the write-ahead log, too.
    if (entry.captures?.some(hasEnded)) this.#exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  async capture(id: string): Promise<Capture | undefined> {
    return this.#captures('SELECT document FROM captures WHERE id = ?', id)[0];
  }

  async openCaptures(): Promise<Capture[]> {
    return this.#captures('SELECT document FROM captures WHERE open = 1 ORDER BY found_at, id');
  }

  async untidyCaptures(): Promise<Capture[]> {
    return this.#captures('SELECT document FROM captures WHERE untidy = 1 ORDER BY found_at, id');
  }

  async endedCaptures(limit: number): Promise<Capture[]> {
    return this.#captures('SELECT document FROM captures WHERE open = 0 ORDER BY ended_at DESC, id LIMIT ?', limit);
  }

  async captureCounts(): Promise<Partial<Record<Capture['state']['name'], number>>> {
    const rows = this.#all('SELECT state, count(*) AS n FROM captures GROUP BY state');
    return Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]));
  }

  async capturesOfExport(exportId: string): Promise<Capture[]> {
    return this.#captures('SELECT document FROM captures WHERE export_id = ? ORDER BY found_at, id', exportId);
  }

  async unseen(mailbox: string, folder: string, uidValidity: string, uids: number[]): Promise<number[]> {
    const sql = 'SELECT 1 FROM messages WHERE mailbox = ? AND folder = ? AND uid_validity = ? AND uid = ?';
    return uids.filter((uid) => this.#get(sql, mailbox, folder, uidValidity, uid) === undefined);
  }

  async knowsMessage(messageId: string, outcome: MessageRecord['outcome']): Promise<boolean> {
    const sql = 'SELECT 1 FROM messages WHERE message_id = ? AND outcome = ? LIMIT 1';
    return this.#get(sql, messageId, outcome) !== undefined;
  }

  async knowsFile(fileKey: string): Promise<boolean> {
    return this.#get('SELECT 1 FROM files WHERE key = ?', fileKey) !== undefined;
  }

  async forgetFilesBut(fileKeys: readonly string[]): Promise<void> {
    this.#run('DELETE FROM files WHERE key NOT IN (SELECT value FROM json_each(?))', JSON.stringify(fileKeys));
  }

  async handIn({ path, name, afterwards, account }: HandIn): Promise<number> {
    const { lastInsertRowid } = this.#run(
      'INSERT INTO hand_ins (at, path, name, afterwards, account) VALUES (?, ?, ?, ?, ?)',
      Date.now(),
      path,
      name,
      afterwards,
      account ?? null,
    );
    return Number(lastInsertRowid);
  }

  async pendingHandIns(): Promise<(HandIn & { id: number })[]> {
    const rows = this.#all('SELECT * FROM hand_ins WHERE capture IS NULL ORDER BY id');
    return rows.map((row) => ({
      id: Number(row.id),
      path: String(row.path),
      name: String(row.name),
      afterwards: row.afterwards === 'delete' ? 'delete' : 'keep',
      account: typeof row.account === 'string' ? row.account : undefined,
    }));
  }

  async captureOfHandIn(id: number): Promise<string | undefined> {
    const row = this.#get('SELECT capture FROM hand_ins WHERE id = ?', id);
    return typeof row?.capture === 'string' ? row.capture : undefined;
  }

  async awaitedIn(mailbox: string, provider: string): Promise<Awaited | undefined> {
    const sql = 'SELECT document FROM awaited WHERE mailbox = ? AND provider = ?';
    const row = this.#get(sql, mailbox, provider);
    return row === undefined ? undefined : decodeAwaited(String(row.document));
  }

  async awaited(): Promise<Awaited[]> {
    const rows = this.#all('SELECT document FROM awaited WHERE open = 1 ORDER BY mailbox, provider');
    return rows.map((row) => decodeAwaited(String(row.document)));
  }

  async toldOf(subject: string): Promise<Told | undefined> {
    const row = this.#get('SELECT what, at FROM told WHERE subject = ?', subject);
    return row === undefined ? undefined : { subject, what: String(row.what), at: Number(row.at) };
  }

  async forget(before: number): Promise<void> {
    this.#run('DELETE FROM messages WHERE at < ?', before);
    this.#run('DELETE FROM hand_ins WHERE at < ? AND capture IS NOT NULL', before);
    this.#run('DELETE FROM awaited WHERE at < ?', before);
    this.#run(
      `DELETE FROM notifications WHERE at < ?
         AND NOT EXISTS (SELECT 1 FROM deliveries WHERE notification = notifications.id AND delivered_at IS NULL)`,
      before,
    );
  }

  async knowsSnapshot(): Promise<boolean> {
    const sql = "SELECT 1 FROM captures WHERE state IN ('committed', 'duplicate', 'unchanged') LIMIT 1";
    return this.#get(sql) !== undefined;
  }

  async readdress(recipients: readonly string[]): Promise<void> {
    const listed = JSON.stringify(recipients);
    this.#inTransaction(() => {
      this.#run(
        `INSERT INTO deliveries (notification, recipient, due)
         SELECT DISTINCT n.id, r.value, n.at
         FROM deliveries d JOIN notifications n ON n.id = d.notification JOIN json_each(?) r
         WHERE d.delivered_at IS NULL AND d.recipient NOT IN (SELECT value FROM json_each(?))
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE notification = n.id AND recipient = r.value)
         ORDER BY n.id`,
        listed,
        listed,
      );
      this.#run(
        'DELETE FROM deliveries WHERE delivered_at IS NULL AND recipient NOT IN (SELECT value FROM json_each(?))',
        listed,
      );
    });
  }

  async undelivered(recipient?: string): Promise<Undelivered> {
    const row = this.#get(
      `WITH waiting AS (
         SELECT d.due, d.error, n.at FROM deliveries d JOIN notifications n ON n.id = d.notification
         WHERE d.delivered_at IS NULL AND d.recipient = coalesce(?, d.recipient)
       )
       SELECT count(*) AS n, min(at) AS oldest,
         (SELECT error FROM waiting WHERE error IS NOT NULL ORDER BY due DESC LIMIT 1) AS error
       FROM waiting`,
      recipient ?? null,
    );
    return {
      count: Number(row?.n),
      lastError: typeof row?.error === 'string' ? row.error : undefined,
      oldestAt: typeof row?.oldest === 'number' ? row.oldest : undefined,
    };
  }

  async due(now: number, recipients: string[]): Promise<Delivery[]> {
    const rows = this.#all(
      `SELECT d.id, d.recipient, d.attempts, n.message FROM deliveries d JOIN notifications n ON n.id = d.notification
       WHERE d.delivered_at IS NULL AND d.due <= ? AND d.recipient IN (SELECT value FROM json_each(?))
       ORDER BY d.notification, d.id LIMIT ${MOST_DUE}`,
      now,
      JSON.stringify(recipients),
    );
    return rows.map((row) => ({
      id: Number(row.id),
      recipient: String(row.recipient),
      attempts: Number(row.attempts),
      message: messageSchema.parse(JSON.parse(String(row.message))),
    }));
  }

  async nextDue(recipients: string[]): Promise<number | undefined> {
    const row = this.#get(
      `SELECT min(due) AS due FROM deliveries
       WHERE delivered_at IS NULL AND recipient IN (SELECT value FROM json_each(?))`,
      JSON.stringify(recipients),
    );
    return typeof row?.due === 'number' ? row.due : undefined;
  }

  async delivered(deliveryIds: readonly number[], at: number): Promise<void> {
    this.#run(
      `UPDATE deliveries SET delivered_at = ?, attempts = attempts + 1 ${AMONG_IDS}`,
      at,
      JSON.stringify(deliveryIds),
    );
  }

  async postponed(deliveryIds: readonly number[], until: number, error: string): Promise<void> {
    this.#run(
      `UPDATE deliveries SET due = ?, error = ?, attempts = attempts + 1 ${AMONG_IDS}`,
      until,
      error,
      JSON.stringify(deliveryIds),
    );
  }

  async held(deliveryIds: readonly number[], until: number): Promise<void> {
    this.#run(`UPDATE deliveries SET due = ? ${AMONG_IDS}`, until, JSON.stringify(deliveryIds));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #inTransaction(work: () => void): void {
    this.#exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #putCapture(capture: Capture): void {
    const { state } = capture;
    const ended = hasEnded(capture);
    this.#run(
      `INSERT INTO captures (id, export_id, state, open, untidy, found_at, ended_at, document)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET export_id = excluded.export_id, state = excluded.state, open = excluded.open,
         untidy = excluded.untidy, ended_at = excluded.ended_at, document = excluded.document`,
      capture.id,
      capture.exportId ?? null,
      state.name,
      ended ? 0 : 1,
      ended && 'leftover' in state && state.leftover !== undefined ? 1 : 0,
      capture.foundAt,
      ended && 'at' in state ? state.at : null,
      encodeCapture(capture),
    );
  }

  #putMessage({ mailbox, folder, uidValidity, uid, messageId, outcome, at }: MessageRecord): void {
    this.#run(
      'INSERT OR REPLACE INTO messages (mailbox, folder, uid_validity, uid, message_id, outcome, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      mailbox,
      folder,
      uidValidity,
      uid,
      messageId ?? null,
      outcome,
      at,
    );
  }

  #putAwaited(awaited: Awaited): void {
    const { mailbox, provider, cameAt = 0, requests } = awaited;
    this.#run(
      'INSERT OR REPLACE INTO awaited (mailbox, provider, open, at, document) VALUES (?, ?, ?, ?, ?)',
      mailbox,
      provider,
      requests.length > 0 ? 1 : 0,
      Math.max(cameAt, ...requests.map(({ askedAt }) => askedAt)),
      encodeAwaited(awaited),
    );
  }

  #putTold({ subject, what, at }: Told): void {
    this.#run('INSERT OR REPLACE INTO told (subject, what, at) VALUES (?, ?, ?)', subject, what, at);
  }

  #putNotification({ message, recipients }: NewNotification): void {
    const { lastInsertRowid } = this.#run(
      'INSERT INTO notifications (at, message) VALUES (?, ?)',
      message.at,
      JSON.stringify(message),
    );
    for (const recipient of recipients) {
      this.#run(
        'INSERT INTO deliveries (notification, recipient, due) VALUES (?, ?, ?)',
        lastInsertRowid,
        recipient,
        message.at,
      );
    }
  }

  #captures(sql: string, ...values: SQLInputValue[]): Capture[] {
    return this.#all(sql, ...values).map((row) => decodeCapture(String(row.document)));
  }

  #exec(sql: string): void {
    this.#reach(() => this.#database.exec(sql));
  }

  #run(sql: string, ...values: SQLInputValue[]): StatementResultingChanges {
    return this.#reach(() => this.#prepared(sql).run(...values));
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#reach(() => this.#prepared(sql).get(...values));
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#reach(() => this.#prepared(sql).all(...values));
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** @throws ChatkeepError `storage` where the file or its disk is at fault */
  #reach<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asJournalError(error, 'use', this.#path);
    }
  }
}
