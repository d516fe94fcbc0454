import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { METADATA_FILE } from './names.ts';

/** The on-disk format that this program writes (docs/backup-directory.md). */
export const FORMAT = 1;

/** On disk `2026-11-21T19:05:33.000Z`, here ms UTC. */
const moment = z.codec(z.iso.datetime(), z.number(), {
  decode: (text) => Date.parse(text),
  encode: (ms) => new Date(ms).toISOString(),
});
const bytes = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const source = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('notice'),
    mailbox: z.string(),
    messageId: z.string().optional(),
    receivedAt: moment,
  }),
  z.object({ kind: z.literal('file'), name: z.string() }),
]);

/** What is kept of where an export came from, in snapshot.json and in the record of an unchanged one. */
const provenance = {
  /** The capture that took it in. */
  capture: z.string(),
  account: z.string(),
  /** The provider's name of the export; none for an archive of unknown origin. */
  exportId: z.string().optional(),
  /** When the export was made. */
  exportTime: moment,
  /** When it was taken in. */
  takenAt: moment,
  /** Where the export came from; never the link. */
  source,
  /** The ZIP as it came; or the folder that it was unpacked into, whose SHA-256 is that of the snapshot's SHA256SUMS. */
  archive: z.object({
    sha256,
    bytes,
    form: z.literal('folder').optional(),
    /** ZIPs that lay in it and were opened: a folder of its name has the place of each. */
    opened: z.array(z.object({ path: z.string(), bytes, sha256 })).optional(),
  }),
};

/**
 * `.chatkeep/snapshot.json`: one schema for writing and for reading. Keys that are not known are passed over, so that a
 * later version can add some without a new format.
 */
const metadataSchema = z.object({
  format: z.literal(FORMAT),
  /** `<account>/<name>`, as it was committed. */
  id: z.string(),
  ...provenance,
  /** The number of the export's own files: as many as SHA256SUMS has lines. */
  files: z.int().min(0),
  /** Their size together. */
  bytes,
  /** How many of the files were hard links to another snapshot's when this one was committed. */
  linkedFiles: z.int().min(0),
  /** What was counted in the export, by name. */
  counts: z.record(z.string(), z.number()),
  /** What was noticed about the export, in words. */
  findings: z.array(z.string()),
});

/** The record of an export that was unchanged, below its account's directory; written and read as snapshot.json is. */
const unchangedSchema = z.object({
  format: z.literal(FORMAT),
  ...provenance,
  /** The name of the snapshot that holds the very files, in the same account's directory. */
  snapshot: z.string(),
  /** The SHA-256 of that snapshot's SHA256SUMS, which stands for all its files. */
  sums: sha256,
});

/** What a snapshot says about itself; times in ms UTC, sizes in bytes. */
export type SnapshotMetadata = z.output<typeof metadataSchema>;
export type SnapshotSource = SnapshotMetadata['source'];
/** What is kept of an export that was unchanged; times in ms UTC, sizes in bytes. */
export type UnchangedMetadata = z.output<typeof unchangedSchema>;
/** What both say of an export. */
export type Provenance = Omit<UnchangedMetadata, 'format' | 'snapshot' | 'sums'>;

const ATTACHMENTS = ['images', 'audio', 'videos', 'otherAssets'];

/** How many files belong to conversations (pictures, sounds, videos and others); undefined where they were not counted. */
export function attachmentsOf({ counts }: Pick<SnapshotMetadata, 'counts'>): number | undefined {
  const counted = ATTACHMENTS.flatMap((name) => counts[name] ?? []);
  return counted.length === 0 ? undefined : counted.reduce((sum, n) => sum + n, 0);
}

/** The text of snapshot.json. */
export function formatMetadata(metadata: SnapshotMetadata): string {
  return `${JSON.stringify(z.encode(metadataSchema, metadata), null, 2)}\n`;
}

/** The text of the record of an unchanged export. */
export function formatUnchanged(metadata: UnchangedMetadata): string {
  return `${JSON.stringify(z.encode(unchangedSchema, metadata), null, 2)}\n`;
}

export type Reading<Metadata> =
  | { readonly kind: 'read'; readonly metadata: Metadata }
  /** There is no such file. */
  | { readonly kind: 'none' }
  /** A sentence for the user. */
  | { readonly kind: 'damaged'; readonly problem: string };

/** Without a snapshot.json (`none`) a directory is not a snapshot. */
export type MetadataReading = Reading<SnapshotMetadata>;

/** Reads the snapshot.json of a directory. Never throws: one broken snapshot must not hide the others. */
export function readMetadata(snapshot: string): Promise<MetadataReading> {
  return readAs(metadataSchema, join(snapshot, METADATA_FILE), METADATA_FILE);
}

/** Reads the record of an unchanged export. Never throws. */
export function readUnchanged(path: string): Promise<Reading<UnchangedMetadata>> {
  return readAs(unchangedSchema, path, 'The record of an unchanged export');
}

async function readAs<T>(schema: z.ZodType<T>, path: string, what: string): Promise<Reading<T>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'none' };
    return { kind: 'damaged', problem: `${what} cannot be read: ${errorMessage(error)}.` };
  }
  return parseAs(schema, text, what);
}

function parseAs<T>(schema: z.ZodType<T>, text: string, what: string): Reading<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'damaged', problem: `${what} is not JSON.` };
  }
  const newer = z.object({ format: z.number().gt(FORMAT) }).safeParse(value);
  if (newer.success) {
    const { format } = newer.data;
    return {
      kind: 'damaged',
      problem: `It was written by a newer Chatkeep (format ${format}; this one knows ${FORMAT}). Update Chatkeep to use it.`,
    };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: 'read', metadata: parsed.data };
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  return {
    kind: 'damaged',
    problem: `${what} is not what it should be (at ${where === '' ? 'its top' : where}).`,
  };
}
