/** What of the tables can wait while much is written. */
import type { DatabaseSync } from 'node:sqlite';

/**
 * Makes the index of messages by their conversations, where it is missing: it is first needed when a conversation comes
 * that has messages already. Made at once it costs an eighth of what it costs row by row.
 */
export function indexByConversation(database: DatabaseSync): void {
  database.exec('CREATE INDEX IF NOT EXISTS message_conversation ON message (conversation)');
}

/**
 * How often FTS5 merges the parts of its index, each of which a search has to look into: with what is written, or only
 * when there are many. A million messages are written a fifth faster with the latter.
 */
export function setMerging(database: DatabaseSync, often: 'always' | 'rarely'): void {
  const parts = often === 'always' ? 4 : 0;
  const set = database.prepare(`SELECT v FROM text_index_config WHERE k = 'automerge'`).get();
  if (Number(set?.v ?? 4) === parts) return;
  // Bound, it would be no whole number for FTS5.
  database.exec(`INSERT INTO text_index (text_index, rank) VALUES ('automerge', ${parts})`);
}
