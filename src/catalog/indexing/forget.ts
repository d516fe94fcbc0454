import type { DatabaseSync } from 'node:sqlite';
import type { CatalogSource } from '../source.ts';
import { indexByConversation } from './upkeep.ts';

/**
 * Forgets the snapshots that are no longer there, and what was in no other. A conversation whose newest state is gone
 * while an older one remains is forgotten as a whole, and the files that hold it are marked to be read again.
 */
export function forgetMissing(database: DatabaseSync, sources: readonly CatalogSource[]): void {
  const there = new Set(sources.map(({ account, name }) => `${account}/${name}`));
  const gone = database
    .prepare('SELECT id, account, name FROM snapshot')
    .all()
    .filter(({ account, name }) => !there.has(`${account}/${name}`));
  if (gone.length === 0) return;
  indexByConversation(database);
  database.exec('BEGIN IMMEDIATE');
  for (const { id = null } of gone) {
    database.prepare('DELETE FROM placed WHERE snapshot = ?').run(id);
    database.prepare('DELETE FROM snapshot WHERE id = ?').run(id);
  }
  database.exec(FORGET);
  recountSeen(database);
  database.exec('COMMIT');
}

/** In an order in which each statement finds what the next one removes. */
const FORGET = `
  DELETE FROM content WHERE id NOT IN (SELECT content FROM placed);
  DELETE FROM member WHERE content NOT IN (SELECT id FROM content);
  CREATE TEMP TABLE lost AS SELECT id FROM version WHERE id NOT IN (SELECT version FROM member);
  CREATE TEMP TABLE affected AS
    SELECT DISTINCT conversation AS id FROM message WHERE version IN (SELECT id FROM lost)
    UNION SELECT id FROM conversation WHERE head IN (SELECT id FROM lost);
  UPDATE content SET whole = 0 WHERE id IN (
    SELECT content FROM member WHERE version IN (SELECT id FROM version WHERE conversation IN (SELECT id FROM affected)));
  UPDATE snapshot SET whole = 0 WHERE id IN (
    SELECT snapshot FROM placed WHERE content IN (SELECT id FROM content WHERE whole = 0));
  DELETE FROM text_index WHERE rowid IN (
    SELECT id FROM message WHERE conversation IN (SELECT id FROM affected));
  DELETE FROM title_index WHERE rowid IN (SELECT id FROM affected);
  DELETE FROM message WHERE conversation IN (SELECT id FROM affected);
  DELETE FROM member WHERE version IN (
    SELECT id FROM version WHERE conversation IN (SELECT id FROM affected));
  DELETE FROM version WHERE conversation IN (SELECT id FROM affected) OR id IN (SELECT id FROM lost);
  DELETE FROM conversation WHERE id IN (SELECT id FROM affected);
  DROP TABLE affected;
  DROP TABLE lost;
`;

/** When the conversations that remain were first and last seen, by the snapshots that remain. */
function recountSeen(database: DatabaseSync): void {
  const seen = (direction: 'ASC' | 'DESC') =>
    `SELECT s.id, s.export_time FROM version v JOIN member m ON m.version = v.id
     JOIN placed p ON p.content = m.content JOIN snapshot s ON s.id = p.snapshot
     WHERE v.conversation = conversation.id ORDER BY s.export_time ${direction} LIMIT 1`;
  database.exec(`
    UPDATE conversation SET (first_seen, first_seen_at) = (${seen('ASC')})
      WHERE first_seen NOT IN (SELECT id FROM snapshot);
    UPDATE conversation SET (last_seen, last_seen_at) = (${seen('DESC')})
      WHERE last_seen NOT IN (SELECT id FROM snapshot);
  `);
}
