import { type FileHandle, open } from 'node:fs/promises';
import { COLON, isWhiteSpace, OPEN_BRACE, QUOTE } from '../json/bytes.ts';
import { ValueScanner } from '../json/value-scanner.ts';
import { asObject } from '../json/values.ts';
import { type Conversation, isConversation, readConversation } from './conversation.ts';
import { type Message, readMessage } from './message.ts';

/** A stretch of a file. */
export interface Stretch {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Reads one conversation where an earlier reading has found it. Undefined where there is none now: the file is gone, or
 * another.
 */
export async function readConversationAt(path: string, { offset, bytes }: Stretch): Promise<Conversation | undefined> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
    const value: unknown = JSON.parse(buffer.toString('utf8', 0, bytesRead));
    return isConversation(value) ? readConversation(value, () => undefined) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where in a conversation's bytes its nodes stand: the offset of the quote before a node's key, so that a message can be
 * read without the conversation around it. Ask for them in the order of the file. Undefined where a node is not found,
 * its id being written with escapes, for one. It is a hint: {@link readMessageAt} sees whether a message is there.
 */
export function nodePlaces(raw: Buffer): (nodeId: string) => number | undefined {
  let from = 0;
  return (nodeId) => {
    const needle = `"${nodeId}":`;
    let at = raw.indexOf(needle, from);
    if (at === -1 && from > 0) at = raw.indexOf(needle);
    if (at === -1) return undefined;
    from = at;
    return at;
  };
}

/** Most nodes are smaller. */
const FIRST_READ_BYTES = 16 * 1024;

/**
 * The message of a node, by the offset of its key in the file ({@link nodePlaces}) and no more read than that node.
 * Undefined where there is no such thing.
 */
export async function readMessageAt(path: string, offset: number): Promise<Message | undefined> {
  try {
    await using file = await open(path);
    let bytes = await readFrom(file, offset, FIRST_READ_BYTES);
    const key = endOfString(bytes, 0);
    const start = key === -1 ? -1 : startOfObject(bytes, key);
    if (start === -1) return undefined;
    let end = new ValueScanner().scan(bytes.subarray(start));
    for (let wanted = 8 * FIRST_READ_BYTES; end === -1; wanted *= 8) {
      const more = await readFrom(file, offset, wanted);
      if (more.length === bytes.length) return undefined;
      bytes = more;
      end = new ValueScanner().scan(bytes.subarray(start));
    }
    const nodeId: unknown = JSON.parse(bytes.toString('utf8', 0, key));
    const node: unknown = JSON.parse(bytes.toString('utf8', start, start + end));
    return readMessage(asObject(node)?.message, String(nodeId));
  } catch {
    return undefined;
  }
}

async function readFrom(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
  return buffer.subarray(0, bytesRead);
}

function endOfString(bytes: Buffer, from: number): number {
  return bytes[from] === QUOTE ? new ValueScanner().scan(bytes.subarray(from)) : -1;
}

/** Behind the key, a colon and white space. */
function startOfObject(bytes: Buffer, from: number): number {
  let at = from;
  for (; isWhiteSpace(bytes[at] ?? 0) || bytes[at] === COLON; at += 1);
  return bytes[at] === OPEN_BRACE ? at : -1;
}
