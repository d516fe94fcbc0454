import { type FileHandle, open, readFile } from 'node:fs/promises';
import * as z from 'zod';
import { errorCode } from '../../lib/errors.ts';
import { PRIVATE_FILE_MODE, writeFileDurably } from '../../lib/files.ts';
import { Mutex } from '../../lib/mutex.ts';
import { Extents } from './extents.ts';
import type { BodyIdentity } from './identity.ts';

const extentsSchema = z.array(z.tuple([z.int().min(0), z.int().min(0)]));

const recordSchema = z.object({
  exportId: z.string(),
  etag: z.string().nullable(),
  total: z.int().min(0).nullable(),
  md5: z.string().nullable(),
  /** Known to have reached the disk. */
  synced: extentsSchema,
});

const progressSchema = z.object({
  /** The boot of the machine in which it was written. */
  boot: z.string(),
  written: extentsSchema,
});

/** What a part file is, as it stands on disk: of which export, of which body, and which bytes have reached the disk. */
export interface PartRecord {
  readonly exportId: string;
  readonly identity: BodyIdentity;
  readonly synced: Extents;
}

/** Writes the record durably, one call at a time; until it is written, {@link newRecordPath} has it. */
export function writeRecord(path: string, { exportId, identity, synced }: PartRecord): Promise<void> {
  const record: z.input<typeof recordSchema> = {
    exportId,
    etag: identity.etag ?? null,
    total: identity.total ?? null,
    md5: identity.md5 ?? null,
    synced: pairsOf(synced),
  };
  return writeFileDurably(path, JSON.stringify(record), PRIVATE_FILE_MODE, newRecordPath(path));
}

/** Where a record is written before it takes the place of the one at `path`. */
export function newRecordPath(path: string): string {
  return `${path}.new`;
}

/** The record; undefined where there is none, or none that this version understands. */
export async function readRecord(path: string): Promise<PartRecord | undefined> {
  const record = await readJson(path, recordSchema);
  if (record === undefined) return undefined;
  const { exportId, etag, total, md5, synced } = record;
  return {
    exportId,
    identity: { etag: etag ?? undefined, total: total ?? undefined, md5: md5 ?? undefined },
    synced: extentsOf(synced),
  };
}

/** One page of memory: a process that is killed leaves the old or the new progress, never half of each. */
const PROGRESS_BYTES = 4096;
/** As many as fit into the page. What is not told is fetched again. */
const MOST_EXTENTS_TOLD = 100;

/**
 * Which bytes the kernel has: written over in place and not synced, for it is of worth after a killed process only, and
 * believed in the boot of the machine that it names only.
 */
export class ProgressFile {
  readonly #handle: FileHandle;
  readonly #boot: string;
  readonly #turns = new Mutex();
  #latest = Extents.NONE;
  #next: Promise<void> | undefined;

  private constructor(handle: FileHandle, boot: string) {
    this.#handle = handle;
    this.#boot = boot;
  }

  /** Opens it, to tell of `extents` from now on. */
  static async open(path: string, boot: string, extents: Extents): Promise<ProgressFile> {
    const handle = await openInPlace(path);
    const file = new ProgressFile(handle, boot);
    await file.tell(extents);
    return file;
  }

  /** Calls that wait for their turn together are dealt with together: the latest extents count. */
  tell(extents: Extents): Promise<void> {
    this.#latest = extents;
    this.#next ??= this.#turns.run(() => {
      this.#next = undefined;
      return this.#write();
    });
    return this.#next;
  }

  async #write(): Promise<void> {
    const progress: z.input<typeof progressSchema> = {
      boot: this.#boot,
      written: pairsOf(this.#latest).slice(0, MOST_EXTENTS_TOLD),
    };
    await this.#handle.write(JSON.stringify(progress).padEnd(PROGRESS_BYTES), 0);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** What was written in this boot of the machine; undefined where that is not known. */
export async function readProgress(path: string, boot: string): Promise<Extents | undefined> {
  const progress = await readJson(path, progressSchema);
  return progress?.boot === boot ? extentsOf(progress.written) : undefined;
}

/** Linux's id of this boot; elsewhere unknown, and then only synced bytes are believed. */
export async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return `unknown-${process.pid}-${Date.now()}`;
  }
}

async function openInPlace(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return open(path, 'w+', PRIVATE_FILE_MODE);
  }
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function pairsOf(extents: Extents): [number, number][] {
  return extents.list.map(({ start, end }) => [start, end]);
}

function extentsOf(pairs: readonly (readonly [number, number])[]): Extents {
  return Extents.of(pairs.map(([start, end]) => ({ start, end })));
}
