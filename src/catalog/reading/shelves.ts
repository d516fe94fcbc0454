import type { DatabaseSync } from 'node:sqlite';
import { numberOf, textOf } from './rows.ts';

/** How an account's conversations are sorted, as far as they are in its newest snapshot. */
export interface Shelves {
  readonly present: number;
  readonly archived: number;
  readonly starred: number;
  /** Conversations with custom GPTs, over all snapshots: exports do not name these any more since G5. */
  readonly gpts: readonly { readonly id: string; readonly conversations: number }[];
}

export function shelvesOf(database: DatabaseSync, account: string): Shelves {
  const row = database
    .prepare(
      `SELECT count(*) AS present, coalesce(sum(v.archived), 0) AS archived, coalesce(sum(v.starred), 0) AS starred
       FROM conversation c JOIN version v ON v.id = c.head WHERE c.account = ?1 AND c.last_seen =
         (SELECT id FROM snapshot WHERE whole = 1 AND account = ?1 ORDER BY export_time DESC, name DESC LIMIT 1)`,
    )
    .get(account);
  const gpts = database
    .prepare(
      `SELECT v.gizmo, count(DISTINCT c.id) AS n FROM conversation c JOIN version v ON v.conversation = c.id
       WHERE c.account = ? AND v.gizmo IS NOT NULL GROUP BY v.gizmo ORDER BY n DESC, v.gizmo LIMIT 100`,
    )
    .all(account)
    .map(({ gizmo, n }) => ({ id: textOf(gizmo), conversations: numberOf(n) }));
  return {
    present: numberOf(row?.present),
    archived: numberOf(row?.archived),
    starred: numberOf(row?.starred),
    gpts,
  };
}
