import type { DatabaseSync } from 'node:sqlite';
import { ROLES, type Role } from '../../chatgpt/index.ts';
import { SECONDS_IN_SQL } from '../message-ids.ts';
import { numberOf, textOf } from './rows.ts';

/** What is in the catalog, in numbers; of one account, or of all. */
export interface Statistics {
  readonly accounts: readonly string[];
  readonly snapshots: number;
  readonly conversations: {
    readonly all: number;
    readonly present: number;
    /** Not in the newest snapshot of their account, whatever the reason. */
    readonly gone: number;
    readonly spoken: number;
    /** States of conversations, over all snapshots. */
    readonly versions: number;
  };
  /** Each message once, over all snapshots; hidden ones are not counted from here on. */
  readonly messages: number;
  readonly byRole: Readonly<Partial<Record<Role, number>>>;
  /** Answers by model, the most frequent first. */
  readonly byModel: readonly { readonly model: string; readonly messages: number }[];
  /** Messages by day (`2026-11-21`, UTC), days without any left out. */
  readonly byDay: readonly { readonly day: string; readonly messages: number }[];
  /** Messages by hour of the day, UTC: 24 numbers. */
  readonly byHour: readonly number[];
}

/** Counts all messages: half a second for a million of them. */
export function statistics(database: DatabaseSync, account?: string): Statistics {
  const all = <T>(sql: string, read: (row: Record<string, unknown>) => T): T[] =>
    database
      .prepare(sql)
      .all({ account: account ?? null })
      .map(read);
  const mine = '(:account IS NULL OR account = :account)';
  const [conversations] = all(
    `WITH newest AS (SELECT account, id, max(export_time) FROM snapshot WHERE whole = 1 GROUP BY account)
     SELECT count(*) AS n, coalesce(sum(c.last_seen = newest.id), 0) AS present, coalesce(sum(v.spoken), 0) AS spoken
     FROM conversation c JOIN version v ON v.id = c.head JOIN newest ON newest.account = c.account
     WHERE (:account IS NULL OR c.account = :account)`,
    ({ n, present, spoken }) => ({ all: Number(n), present: Number(present), spoken: Number(spoken) }),
  );
  const { all: known, present, spoken } = conversations ?? { all: 0, present: 0, spoken: 0 };
  const ofMine = `message.hidden = 0 AND (:account IS NULL OR message.conversation IN
    (SELECT id FROM conversation WHERE account = :account))`;
  const byRole = all(`SELECT role, count(*) AS n FROM message WHERE ${ofMine} GROUP BY role`, ({ role, n }) => [
    ROLES[Number(role)] ?? 'other',
    Number(n),
  ]);
  const byHour = new Map(
    all(
      `SELECT ${SECONDS_IN_SQL} / 3600 % 24 AS hour, count(*) AS n FROM message WHERE ${ofMine} AND dated = 1 GROUP BY hour`,
      ({ hour, n }) => [Number(hour), Number(n)] as const,
    ),
  );
  return {
    accounts: all(`SELECT DISTINCT account FROM snapshot WHERE ${mine} ORDER BY account`, (row) => String(row.account)),
    snapshots: numberOf(
      database.prepare(`SELECT count(*) AS n FROM snapshot WHERE ${mine}`).get({ account: account ?? null })?.n,
    ),
    conversations: {
      all: known,
      present,
      gone: known - present,
      spoken,
      versions:
        all(
          `SELECT count(*) AS n FROM version v JOIN conversation c ON c.id = v.conversation
         WHERE (:account IS NULL OR c.account = :account)`,
          ({ n }) => Number(n),
        )[0] ?? 0,
    },
    messages: byRole.reduce((sum, [, n]) => sum + Number(n), 0),
    byRole: Object.fromEntries(byRole),
    byModel: all(
      `SELECT model.name, count(*) AS n FROM message JOIN model ON model.id = message.model
       WHERE ${ofMine} GROUP BY model.id ORDER BY n DESC, model.name`,
      ({ name, n }) => ({ model: String(name), messages: Number(n) }),
    ),
    byDay: all(
      `SELECT date(${SECONDS_IN_SQL}, 'unixepoch') AS day, count(*) AS n FROM message
       WHERE ${ofMine} AND dated = 1 GROUP BY day ORDER BY day`,
      ({ day, n }) => ({ day: String(day), messages: Number(n) }),
    ),
    byHour: Array.from({ length: 24 }, (_, hour) => byHour.get(hour) ?? 0),
  };
}

/** The snapshots of which all is in the catalog, oldest first, and what could not be read in them. */
export interface IndexedSnapshot {
  readonly account: string;
  readonly name: string;
  /** Conversations that its files were found to hold; `unread` of them could not be read. */
  readonly found: number;
  readonly unread: number;
  /** What was not understood, or noticed, in its conversations: how often, by reason. */
  readonly reports: Readonly<Record<string, number>>;
}

export function indexedSnapshots(database: DatabaseSync): IndexedSnapshot[] {
  return database
    .prepare(
      `SELECT account, name, found, unread, reports,
         (SELECT json_group_array(json(reports)) FROM content WHERE id IN
            (SELECT content FROM placed WHERE snapshot = snapshot.id)) AS file_reports
       FROM snapshot WHERE whole = 1 ORDER BY export_time, name`,
    )
    .all()
    .map(({ account, name, found, unread, reports, file_reports }) => ({
      account: textOf(account),
      name: textOf(name),
      found: numberOf(found),
      unread: numberOf(unread),
      reports: sumOf([JSON.parse(textOf(reports)), ...JSON.parse(textOf(file_reports))]),
    }));
}

function sumOf(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of all) for (const [reason, n] of Object.entries(one)) sum[reason] = (sum[reason] ?? 0) + n;
  return sum;
}
