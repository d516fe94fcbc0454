/**
 * The catalog's tables. Another number is another form: a catalog of a form that is not this one is made anew, since
 * everything in it comes from the snapshots.
 */
export const SCHEMA_VERSION = 2;

/**
 * - `snapshot`: what there is. `whole` once everything of it is in.
 * - `content`: a file of conversations, by what is in it: an unchanged file is there once, and read once.
 * - `placed`: in which snapshots a content lies, and where.
 * - `member`: the conversations of a content, where their bytes are, and what they are known by.
 * - `conversation`: one, over all snapshots of its account; `head` is its version in the newest snapshot that has it.
 * - `version`: a state of a conversation, byte for byte.
 * - `message`: one of a conversation, over all its versions, once for each content that it has had; `version` is the
 *   newest that holds it, `place` its offset in there. The number is its time (message-ids.ts). The index by conversation
 *   is made when everything is in.
 * - `text_index`, `title_index`: the words, and nothing but these: texts are read from the snapshots.
 */
export const SCHEMA = `
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  directory TEXT NOT NULL,
  export_time INTEGER NOT NULL,
  whole INTEGER NOT NULL DEFAULT 0,
  schema TEXT,
  found INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  reports TEXT NOT NULL DEFAULT '{}',
  UNIQUE (account, name)
);
CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  whole INTEGER NOT NULL DEFAULT 0,
  found INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  reports TEXT NOT NULL DEFAULT '{}',
  UNIQUE (account, sha256)
);
CREATE TABLE placed (
  snapshot INTEGER NOT NULL,
  place INTEGER NOT NULL,
  path TEXT NOT NULL,
  content INTEGER NOT NULL,
  PRIMARY KEY (snapshot, place)
) WITHOUT ROWID;
CREATE INDEX placed_content ON placed (content);
CREATE TABLE member (
  content INTEGER NOT NULL,
  place INTEGER NOT NULL,
  version INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (content, place)
) WITHOUT ROWID;
CREATE INDEX member_version ON member (version);
CREATE TABLE conversation (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  first_seen INTEGER,
  first_seen_at INTEGER,
  last_seen INTEGER,
  last_seen_at INTEGER,
  head INTEGER,
  UNIQUE (account, provider_id)
);
CREATE TABLE version (
  id INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  digest TEXT NOT NULL,
  title TEXT,
  created_at INTEGER,
  updated_at INTEGER,
  newest_at INTEGER,
  model TEXT,
  schema TEXT NOT NULL,
  archived INTEGER,
  starred INTEGER,
  gizmo TEXT,
  spoken INTEGER NOT NULL,
  branches INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  slim_messages INTEGER NOT NULL,
  unread_messages INTEGER NOT NULL,
  UNIQUE (digest, conversation)
);
CREATE INDEX version_conversation ON version (conversation);
CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  key INTEGER NOT NULL,
  content INTEGER NOT NULL,
  role INTEGER NOT NULL,
  model INTEGER,
  dated INTEGER NOT NULL,
  hidden INTEGER NOT NULL,
  version INTEGER NOT NULL,
  place INTEGER
);
CREATE VIRTUAL TABLE text_index USING fts5 (
  text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE title_index USING fts5 (
  title, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
INSERT INTO text_index (text_index, rank) VALUES ('hashsize', 33554432);
PRAGMA user_version = ${SCHEMA_VERSION};
`;
