import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { errorCode } from '../../lib/errors.ts';
import { writeFileDurably } from '../../lib/files.ts';
import { REPORT_REASONS, type ReportReason } from '../reports.ts';
import { GENERATIONS } from './generation.ts';
import type { AssetEntry, ConversationEntry, Inventory } from './inventory.ts';
import { RECORD_BYTES } from './records.ts';

/**
 * The form of an inventory on disk: JSON lines. A head, a line a conversation, a line an asset, and a foot that counts
 * them, so that a file cut short is known for one. A later form has another number, and is read by nobody but its own
 * version: an inventory can always be taken again.
 */
const FORMAT = 1;

const count = z.int().min(0);
const moment = z.number().optional();
const ledgerPage = z.object({ found: count, kept: count, repeated: count, unread: count });
const place = z.object({ file: z.string(), index: count.optional(), detail: z.string().optional() });

const headSchema = z.object({
  inventory: z.literal(FORMAT),
  generation: z.enum(GENERATIONS),
  counts: z.object({
    conversations: count,
    messages: count,
    messagesByRole: z.object({ user: count, assistant: count, system: count, tool: count, other: count }),
    voiceConversations: count,
    branches: count,
    assets: z.object({ image: count, audio: count, video: count, other: count }),
    missingAssets: count,
    conversationBytes: count,
  }),
  ledger: z.object({ conversations: ledgerPage, messages: ledgerPage }),
  reports: z.record(z.string(), z.object({ count, places: z.array(place) })),
});

const conversationSchema = z.object({
  conversation: z.string(),
  title: z.string().optional(),
  createdAt: moment,
  newestMessageAt: moment,
  schema: z.enum(['full', 'slim']),
  archived: z.boolean().optional(),
  starred: z.boolean().optional(),
  messages: z.base64().transform((text) => Buffer.from(text, 'base64')),
});

const assetSchema = z.object({
  asset: z.string(),
  kind: z.enum(['image', 'audio', 'video', 'other']),
  generated: z.boolean(),
});

const footSchema = z.object({ end: z.object({ conversations: count, assets: count }) });

const lineSchema = z.union([conversationSchema, assetSchema, footSchema]);

/**
 * Writes an inventory to a file, durably and private to the user (0600): it holds titles.
 * @throws what the file system says
 */
export async function writeInventory(path: string, inventory: Inventory): Promise<void> {
  await writeFileDurably(path, Buffer.from(`${[...linesOf(inventory)].join('\n')}\n`));
}

function* linesOf({ generation, counts, ledger, reports, conversations, assets }: Inventory): Generator<string> {
  yield JSON.stringify({ inventory: FORMAT, generation, counts, ledger, reports });
  for (const { id, messages, ...rest } of conversations.values())
    yield JSON.stringify({ conversation: id, ...rest, messages: messages.toString('base64') });
  for (const [id, asset] of assets) yield JSON.stringify({ asset: id, ...asset });
  yield JSON.stringify({ end: { conversations: conversations.size, assets: assets.size } });
}

/**
 * Reads an inventory that {@link writeInventory} wrote. Undefined where there is none, where it is damaged, or of
 * another form: then the snapshot is to be read again.
 *
 * @throws what the file system says, but for a file that is not there
 */
export async function readInventory(path: string): Promise<Inventory | undefined> {
  const stream = createReadStream(path);
  try {
    return await parseLines(createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }));
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError || errorCode(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    stream.destroy();
  }
}

/** Whether a file begins as an inventory of this form does: as good as sure, since they are written whole or not at all. */
export async function isInventory(path: string): Promise<boolean> {
  const beginning = Buffer.from(`{"inventory":${FORMAT},`);
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(beginning.length), 0, beginning.length, 0);
    return bytesRead === beginning.length && buffer.equals(beginning);
  } catch {
    return false;
  }
}

async function parseLines(lines: AsyncIterable<string>): Promise<Inventory | undefined> {
  let head: z.output<typeof headSchema> | undefined;
  const conversations = new Map<string, ConversationEntry>();
  const assets = new Map<string, AssetEntry>();
  for await (const text of lines) {
    if (head === undefined) {
      head = headSchema.parse(JSON.parse(text));
      continue;
    }
    const line = lineSchema.parse(JSON.parse(text));
    if ('end' in line) {
      const isWhole = line.end.conversations === conversations.size && line.end.assets === assets.size;
      const { inventory: _format, reports, ...rest } = head;
      return isWhole ? { ...rest, reports: knownReports(reports), conversations, assets } : undefined;
    }
    if ('asset' in line) assets.set(line.asset, { kind: line.kind, generated: line.generated });
    else if (line.messages.length % RECORD_BYTES === 0) conversations.set(line.conversation, entryOf(line));
  }
  return undefined;
}

function entryOf({ conversation, ...rest }: z.output<typeof conversationSchema>): ConversationEntry {
  const { title, createdAt, newestMessageAt, archived, starred } = rest;
  return { ...rest, id: conversation, title, createdAt, newestMessageAt, archived, starred };
}

function knownReports(reports: z.output<typeof headSchema>['reports']): Inventory['reports'] {
  const known = new Set<string>(Object.keys(REPORT_REASONS));
  const isKnown = (reason: string): reason is ReportReason => known.has(reason);
  return Object.fromEntries(Object.entries(reports).filter(([reason]) => isKnown(reason)));
}
