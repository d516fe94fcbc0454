import type { DatabaseSync } from 'node:sqlite';
import {
  branchesOf,
  type Conversation,
  type ConversationReading,
  type ExportFile,
  type Fingerprint,
  identityOf,
  isInSlimSchema,
  isSpoken,
  messagesOf,
  nodePlaces,
  ReportBook,
  ROLES,
  readConversationsFile,
  type Schema,
  textOfMessage,
} from '../../chatgpt/index.ts';
import { contentOf, keyOf } from '../message-ids.ts';
import { KnownConversations } from './known.ts';
import { type MessageTableData, MessageTableMaker, type Rows, type TableBuffers } from './message-table.ts';

/** Where a conversation stands in its file, and what its bytes are known by. */
interface Stand {
  readonly index: number;
  readonly offset: number;
  readonly fingerprint: Fingerprint;
}

/** A state of a conversation that the catalog has. */
export interface KnownRecord extends Stand {
  readonly kind: 'known';
}

/** A state that it does not have. Times in ms UTC. */
export interface VersionRecord extends Stand {
  readonly kind: 'version';
  /** The provider's. */
  readonly id: string;
  readonly title: string | undefined;
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
  readonly newestAt: number | undefined;
  readonly model: string | undefined;
  readonly schema: Schema;
  readonly archived: boolean | undefined;
  readonly starred: boolean | undefined;
  readonly gizmo: string | undefined;
  readonly spoken: boolean;
  readonly branches: number;
  readonly slimMessages: number;
  readonly unreadMessages: number;
  /** In the table of the piece. */
  readonly messages: Rows;
}

/** A piece of what is to be written: plain values, which can go from thread to thread. */
export type Piece =
  | {
      readonly kind: 'records';
      readonly records: readonly (KnownRecord | VersionRecord)[];
      readonly table: MessageTableData;
      /** How far the file has been read, bytes. */
      readonly upTo: number;
    }
  /** All of a file has been given. */
  | {
      readonly kind: 'file-end';
      readonly found: number;
      readonly unread: number;
      /** How often, by reason. */
      readonly reports: Readonly<Record<string, number>>;
    };

/** The files of one snapshot that are to be read, in their order. */
export interface ReadingJob {
  readonly account: string;
  readonly directory: string;
  readonly files: readonly ExportFile[];
}

/** Bytes of text that go together. */
const PIECE_BYTES = 1_000_000;
/** Conversations without text have a size, too. */
const PIECE_RECORDS = 500;

/**
 * Reads files for the catalog, in pieces.
 * @param database tells what is known already
 * @param options.spare buffers of pieces that nobody needs any more; new ones may be added at any time
 * @throws what SQLite says; the signal's reason
 */
export async function* readPieces(
  database: DatabaseSync,
  { account, directory, files }: ReadingJob,
  { signal, spare = [] }: { readonly signal?: AbortSignal | undefined; readonly spare?: TableBuffers[] } = {},
): AsyncGenerator<Piece, void> {
  const known = KnownConversations.of(database, account);
  const table = new MessageTableMaker(spare);
  for (const file of files) {
    const reports = new ReportBook();
    let [found, unread] = [0, 0];
    let records: (KnownRecord | VersionRecord)[] = [];
    for await (const one of readConversationsFile(directory, file, { reports, known, signal })) {
      found += 1;
      if (one.kind === 'unread') {
        unread += 1;
        continue;
      }
      const record = one.kind === 'known' ? one : versionOf(one, table, reports);
      if (record === undefined) continue;
      known.saw(record.fingerprint.digest, record.kind === 'known' ? undefined : record.id);
      records.push(record);
      if (table.textBytes < PIECE_BYTES && records.length < PIECE_RECORDS) continue;
      yield { kind: 'records', records, table: table.take(), upTo: one.offset + one.bytes };
      records = [];
    }
    if (records.length > 0) yield { kind: 'records', records, table: table.take(), upTo: file.bytes };
    yield { kind: 'file-end', found, unread, reports: countsIn(reports) };
  }
}

/** How often, by reason. */
export function countsIn(reports: ReportBook): Record<string, number> {
  return Object.fromEntries(Object.entries(reports.all()).map(([reason, { count }]) => [reason, count]));
}

function versionOf(
  { conversation, raw, file, index, offset, fingerprint }: Extract<ConversationReading, { kind: 'conversation' }>,
  table: MessageTableMaker,
  reports: ReportBook,
): VersionRecord | undefined {
  if (fingerprint === undefined) return undefined;
  if (conversation.id === undefined) reports.add('conversation-without-id', { file, index });
  const messages = messagesOf(conversation);
  const withMessage = Object.values(conversation.raw.mapping ?? {}).filter(hasMessage).length;
  const newestAt = messages.reduce((newest, { createdAt }) => Math.max(newest, createdAt ?? 0), 0);
  const { title, createdAt, updatedAt, model, schema, archived, starred, gizmo } = conversation;
  return {
    kind: 'version',
    index,
    offset,
    fingerprint,
    id: identityOf(conversation),
    title,
    createdAt,
    updatedAt,
    newestAt: newestAt === 0 ? undefined : newestAt,
    model,
    schema,
    archived,
    starred,
    gizmo,
    spoken: messages.some(isSpoken),
    branches: branchesOf(conversation),
    slimMessages: messages.filter(isInSlimSchema).length,
    unreadMessages: withMessage - messages.length,
    messages: addMessages(table, conversation, raw),
  };
}

function addMessages(table: MessageTableMaker, { nodes, createdAt }: Conversation, raw: Buffer): Rows {
  const placeOf = nodePlaces(raw);
  const from = table.rows;
  let time = createdAt ?? 0;
  for (const [nodeId, { message }] of nodes) {
    if (message === undefined) continue;
    time = message.createdAt ?? time;
    const text = textOfMessage(message);
    table.add({
      key: keyOf(message.id),
      content: contentOf(message, table.encode(text)),
      time,
      dated: message.createdAt !== undefined,
      role: ROLES.indexOf(message.role),
      model: message.model,
      hidden: message.hidden,
      place: placeOf(nodeId),
    });
  }
  return { from, to: table.rows };
}

/** A node that has none says so by null, or by nothing. */
function hasMessage(node: unknown): boolean {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return true;
  return 'message' in node && node.message !== null && node.message !== undefined;
}
