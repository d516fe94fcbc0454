import { hash } from 'node:crypto';
import type { Conversation } from '../conversation/conversation.ts';
import { isInSlimSchema, type Message, ROLES, type Role } from '../conversation/message.ts';
import type { Part } from '../conversation/parts.ts';

/**
 * A message as an inventory knows it. The id is the first 64 bits of a UUID, or of the SHA-256 of any other id; the
 * content is the first 64 bits of a SHA-256. A million messages take 17 MB so, and the messages of one conversation,
 * which are all that is compared with one another, are never so many that two of them could be taken for one.
 */
export interface MessageRecord {
  /** 16 hex digits. */
  readonly id: string;
  /** 16 hex digits: what a reader would read or hear, and who said it; nothing that differs from format to format. */
  readonly content: string;
  readonly role: Role;
  /** Whether the slim schema holds such messages. */
  readonly inSlimSchema: boolean;
}

/** What a record takes: 8 bytes of the id, 8 of the content's hash, and one of role and schema. */
export const RECORD_BYTES = 17;
const HASH_BYTES = 8;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ROLE_BITS = 0b111;
const SLIM_BIT = 0b1000;

/** The records of a conversation's messages, sorted by id: {@link RECORD_BYTES} each. */
export function recordsOf({ nodes }: Conversation): Buffer {
  const records = new Map<string, Buffer>();
  for (const [nodeId, { message }] of nodes) {
    if (message === undefined) continue;
    const record = recordOf(message.id, message);
    const key = idOf(record);
    // An id that stands twice in one conversation is none; the node's is.
    if (!records.has(key)) records.set(key, record);
    else records.set(nodeId, recordOf(`node ${nodeId}`, message));
  }
  return sorted([...records.values()]);
}

/** What a conversation is known by; one without an id by its messages. */
export function identityOf(conversation: Conversation, records?: Buffer): string {
  return conversation.id ?? `without-id-${hash('sha256', records ?? recordsOf(conversation)).slice(0, 16)}`;
}

/** Both together, each id once; what is in both is taken from the first. */
export function mergeRecords(first: Buffer, second: Buffer): Buffer {
  const records = new Map<string, Buffer>();
  for (const record of [...slices(first), ...slices(second)]) {
    if (!records.has(idOf(record))) records.set(idOf(record), record);
  }
  return sorted([...records.values()]);
}

/**
 * Those of `records` that are not in `others`, by id and content: a message with other content is another one.
 * Both as {@link recordsOf} gives them, and so is the result.
 */
export function recordsWithout(records: Buffer, others: Buffer): Buffer {
  if (records.equals(others)) return Buffer.alloc(0);
  const known = new Set(Array.from(slices(others), versionOf));
  return Buffer.concat([...slices(records)].filter((record) => !known.has(versionOf(record))));
}

/** The records of {@link recordsOf}, read. */
export function* readRecords(records: Buffer): Generator<MessageRecord> {
  for (const record of slices(records)) {
    const flags = record[RECORD_BYTES - 1] ?? 0;
    yield {
      id: idOf(record),
      content: record.toString('hex', HASH_BYTES, 2 * HASH_BYTES),
      role: roleIn(flags),
      inSlimSchema: (flags & SLIM_BIT) !== 0,
    };
  }
}

export function countRecords(records: Buffer): number {
  return records.length / RECORD_BYTES;
}

/** The role of each record, without reading the rest of it. */
export function* rolesIn(records: Buffer): Generator<Role> {
  for (let at = RECORD_BYTES - 1; at < records.length; at += RECORD_BYTES) yield roleIn(records[at] ?? 0);
}

function roleIn(flags: number): Role {
  return ROLES[flags & ROLE_BITS] ?? 'other';
}

function* slices(records: Buffer): Generator<Buffer> {
  for (let at = 0; at + RECORD_BYTES <= records.length; at += RECORD_BYTES)
    yield records.subarray(at, at + RECORD_BYTES);
}

function sorted(records: Buffer[]): Buffer {
  return Buffer.concat(records.sort(Buffer.compare));
}

function idOf(record: Buffer): string {
  return record.toString('hex', 0, HASH_BYTES);
}

function versionOf(record: Buffer): string {
  return record.toString('latin1', 0, 2 * HASH_BYTES);
}

function recordOf(id: string, message: Message): Buffer {
  const record = Buffer.alloc(RECORD_BYTES);
  record.write(UUID.test(id) ? id.replaceAll('-', '') : hash('sha256', id), 0, HASH_BYTES, 'hex');
  record.write(hash('sha256', contentOf(message)), HASH_BYTES, HASH_BYTES, 'hex');
  record[RECORD_BYTES - 1] = ROLES.indexOf(message.role) | (isInSlimSchema(message) ? SLIM_BIT : 0);
  return record;
}

/** Each text with its length before it, so that no two contents are written alike. */
function contentOf({ role, parts }: Message): string {
  let text: string = role;
  for (const part of parts) {
    text += `\n${part.kind}`;
    for (const field of fieldsOf(part)) text += ` ${field.length}:${field}`;
  }
  return text;
}

function fieldsOf(part: Part): readonly string[] {
  switch (part.kind) {
    case 'image':
    case 'audio':
      return [part.asset];
    case 'video':
      return part.assets;
    case 'thoughts':
      return part.thoughts.flatMap(({ summary, text }) => [summary, text]);
    case 'quote':
      return [part.url ?? '', part.text];
    case 'unknown':
      return [part.type, part.text];
    default:
      return [part.text];
  }
}
