import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Schema } from '../../chatgpt/index.ts';
import { parseQuestion } from '../words.ts';
import { flagOrNone, numberOf, numberOrNone, type Row, textOf, textOrNone } from './rows.ts';

/**
 * `present`: in the account's newest snapshot. `gone`: deleted since it was last seen. `no-longer-carried`: not in the
 * newest snapshot, whose format has no room for what was in it.
 */
export type Presence = 'present' | 'gone' | 'no-longer-carried';

/** A conversation, over all snapshots of its account, in its newest state. */
export interface CatalogConversation {
  /** The catalog's own number: it lasts as long as the catalog. */
  readonly number: number;
  readonly account: string;
  /** The provider's. */
  readonly id: string;
  /** Its newest state, and what the bytes of that are known by. */
  readonly head: number;
  readonly digest: string;
  readonly title: string | undefined;
  /** ms UTC */
  readonly createdAt: number | undefined;
  /** When the newest message was written, ms UTC. */
  readonly newestAt: number | undefined;
  readonly model: string | undefined;
  readonly schema: Schema;
  readonly archived: boolean | undefined;
  readonly starred: boolean | undefined;
  readonly spoken: boolean;
  readonly branches: number;
  readonly messages: number;
  /** How many states it has had. */
  readonly versions: number;
  readonly presence: Presence;
  /** Some conversations of the newest snapshot could not be read: it may be among them. Never of one that is present. */
  readonly uncertain: boolean;
  /** The names of the snapshots in which it was seen first and last. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** A state of a conversation. */
export interface ConversationVersion {
  readonly number: number;
  readonly title: string | undefined;
  readonly messages: number;
  readonly schema: Schema;
  /** The names of the snapshots that have it, oldest first. */
  readonly snapshots: readonly string[];
}

/** Where the bytes of a version are: in every snapshot that has it, newest first. */
export interface VersionPlace {
  /** The snapshot's name, and where it lies. */
  readonly snapshot: string;
  readonly directory: string;
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface ConversationFilter {
  readonly account?: string | undefined;
  /** Words of its title, now or earlier. */
  readonly title?: string | undefined;
  /** Only what is not in the newest snapshot (true), or only what is (false). */
  readonly deleted?: boolean | undefined;
  /** ms UTC: only what has messages from then on, and was begun until then. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly model?: string | undefined;
  /** Only those in which something was spoken (true), or nothing was (false). */
  readonly spoken?: boolean | undefined;
}

const NEWEST = `(
  SELECT account, id, schema, unread, max(export_time) FROM snapshot WHERE whole = 1 GROUP BY account
) AS newest`;
const GONE = 'c.last_seen <> newest.id';
const FROM = `conversation c
  JOIN version v ON v.id = c.head
  JOIN snapshot first ON first.id = c.first_seen
  JOIN snapshot last ON last.id = c.last_seen
  JOIN ${NEWEST} ON newest.account = c.account`;
const COLUMNS = `c.id, c.account, c.provider_id, c.head, v.digest, v.title, v.created_at, v.newest_at, v.model, v.schema, v.archived, v.starred,
  v.spoken, v.branches, v.messages, first.name AS first_seen, last.name AS last_seen,
  (SELECT count(*) FROM version WHERE conversation = c.id) AS versions, ${GONE} AS gone,
  newest.schema = 'slim' AND v.schema = 'full' AND v.slim_messages = 0 AND v.messages > 0 AS uncarried,
  newest.unread > 0 AS unread`;

/** Conversations, the one with the newest message first. */
export function listConversations(
  database: DatabaseSync,
  filter: ConversationFilter,
  { limit, offset = 0 }: { readonly limit: number; readonly offset?: number },
): CatalogConversation[] {
  const { condition, values } = conditionOf(filter);
  return database
    .prepare(
      `SELECT ${COLUMNS} FROM ${FROM} WHERE ${condition}
       ORDER BY coalesce(v.newest_at, v.created_at, 0) DESC, c.id LIMIT ? OFFSET ?`,
    )
    .all(...values, limit, offset)
    .map(conversationOf);
}

export function countConversations(database: DatabaseSync, filter: ConversationFilter): number {
  const { condition, values } = conditionOf(filter);
  return numberOf(database.prepare(`SELECT count(*) AS n FROM ${FROM} WHERE ${condition}`).get(...values)?.n);
}

export function conversationByNumber(database: DatabaseSync, number: number): CatalogConversation | undefined {
  const row = database.prepare(`SELECT ${COLUMNS} FROM ${FROM} WHERE c.id = ?`).get(number);
  return row === undefined ? undefined : conversationOf(row);
}

export function conversationOfAccount(
  database: DatabaseSync,
  account: string,
  id: string,
): CatalogConversation | undefined {
  const row = database.prepare(`SELECT ${COLUMNS} FROM ${FROM} WHERE c.account = ? AND c.provider_id = ?`);
  const found = row.get(account, id);
  return found === undefined ? undefined : conversationOf(found);
}

/** What conversations can be chosen by, in alphabetical order. */
export interface Choices {
  readonly accounts: readonly string[];
  readonly models: readonly string[];
}

export function choicesOf(database: DatabaseSync): Choices {
  const all = (query: string) =>
    database
      .prepare(query)
      .all()
      .map(({ name }) => textOf(name));
  return {
    accounts: all('SELECT DISTINCT account AS name FROM snapshot WHERE whole = 1 ORDER BY name'),
    models: all(
      `SELECT DISTINCT v.model AS name FROM conversation c JOIN version v ON v.id = c.head
       WHERE v.model IS NOT NULL ORDER BY name`,
    ),
  };
}

/** Those of that id, or whose ids begin with it; of every account. */
export function conversationsById(database: DatabaseSync, id: string, limit: number): CatalogConversation[] {
  const select = (condition: string) =>
    database.prepare(`SELECT ${COLUMNS} FROM ${FROM} WHERE ${condition} ORDER BY c.provider_id, c.account LIMIT ?`);
  const same = select('c.provider_id = ?').all(id, limit);
  const rows = same.length > 0 ? same : select('substr(c.provider_id, 1, length(?1)) = ?1').all(id, limit);
  return rows.map(conversationOf);
}

/** The numbers of those of an account that have these ids. */
export function numbersById(
  database: DatabaseSync,
  account: string,
  ids: readonly string[],
): ReadonlyMap<string, number> {
  const find = database.prepare('SELECT id FROM conversation WHERE account = ? AND provider_id = ?');
  return new Map(
    ids.flatMap((id) => {
      const row = find.get(account, id);
      return row === undefined ? [] : [[id, numberOf(row.id)] as const];
    }),
  );
}

/** The states that a conversation has had, the oldest first. */
export function versionsOf(database: DatabaseSync, conversation: number): ConversationVersion[] {
  const rows = database
    .prepare(
      `SELECT v.id, v.title, v.messages, v.schema, s.name
       FROM version v JOIN member m ON m.version = v.id JOIN placed p ON p.content = m.content
       JOIN snapshot s ON s.id = p.snapshot WHERE v.conversation = ? AND s.whole = 1
       GROUP BY v.id, s.id ORDER BY s.export_time, s.name, v.id`,
    )
    .all(conversation);
  return [...Map.groupBy(rows, ({ id }) => numberOf(id))].map(([number, same]) => ({
    number,
    title: textOrNone(same[0]?.title),
    messages: numberOf(same[0]?.messages),
    schema: schemaOf(same[0]?.schema),
    snapshots: same.map(({ name }) => textOf(name)),
  }));
}

export function placesOf(database: DatabaseSync, version: number): VersionPlace[] {
  return database
    .prepare(
      `SELECT s.name, s.directory, p.path, m.offset, m.bytes
       FROM member m JOIN placed p ON p.content = m.content JOIN snapshot s ON s.id = p.snapshot
       WHERE m.version = ? ORDER BY s.export_time DESC, s.name DESC`,
    )
    .all(version)
    .map((row) => ({
      snapshot: textOf(row.name),
      directory: textOf(row.directory),
      file: textOf(row.path),
      offset: numberOf(row.offset),
      bytes: numberOf(row.bytes),
    }));
}

/** The condition of a filter, on the tables of this file. */
function conditionOf({ account, title, deleted, from, to, model, spoken }: ConversationFilter): {
  readonly condition: string;
  readonly values: readonly SQLInputValue[];
} {
  const conditions: string[] = ['1'];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...more: SQLInputValue[]) => {
    conditions.push(condition);
    values.push(...more);
  };
  if (account !== undefined) add('c.account = ?', account);
  if (deleted !== undefined) add(deleted ? GONE : `NOT (${GONE})`);
  if (from !== undefined) add('coalesce(v.newest_at, v.created_at, 0) >= ?', from);
  if (to !== undefined) add('coalesce(v.created_at, v.newest_at, 0) <= ?', to);
  if (model !== undefined) add('v.model = ?', model);
  if (spoken !== undefined) add('v.spoken = ?', Number(spoken));
  if (title !== undefined) {
    const match = parseQuestion(title)?.match;
    if (match === undefined) add('0');
    else add('c.id IN (SELECT rowid FROM title_index WHERE title_index MATCH ?)', match);
  }
  return { condition: conditions.join(' AND '), values };
}

/** The numbers of the conversations that a filter lets through, as a query. */
export function numbersQuery(filter: ConversationFilter): {
  readonly query: string;
  readonly values: readonly SQLInputValue[];
} {
  const { condition, values } = conditionOf(filter);
  return { query: `SELECT c.id FROM ${FROM} WHERE ${condition}`, values };
}

function conversationOf(row: Row): CatalogConversation {
  const isGone = row.gone === 1;
  return {
    number: numberOf(row.id),
    account: textOf(row.account),
    id: textOf(row.provider_id),
    head: numberOf(row.head),
    digest: textOf(row.digest),
    title: textOrNone(row.title),
    createdAt: numberOrNone(row.created_at),
    newestAt: numberOrNone(row.newest_at),
    model: textOrNone(row.model),
    schema: schemaOf(row.schema),
    archived: flagOrNone(row.archived),
    starred: flagOrNone(row.starred),
    spoken: row.spoken === 1,
    branches: numberOf(row.branches),
    messages: numberOf(row.messages),
    versions: numberOf(row.versions),
    presence: !isGone ? 'present' : row.uncarried === 1 ? 'no-longer-carried' : 'gone',
    uncertain: isGone && row.unread === 1,
    firstSeen: textOf(row.first_seen),
    lastSeen: textOf(row.last_seen),
  };
}

function schemaOf(value: Row[string] | undefined): Schema {
  return value === 'slim' ? 'slim' : 'full';
}
