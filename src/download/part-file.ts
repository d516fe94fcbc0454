import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { asStorageError, errorCode } from '../lib/errors.ts';
import { PRIVATE_FILE_MODE, sizeOf, syncDirectory, writeFileDurably } from '../lib/files.ts';
import { feedFile } from '../lib/hash.ts';

/** What the server said of the body that the part file is a beginning of. */
export interface BodyIdentity {
  /** A strong validator (RFC 9110 section 8.8.3), or undefined: then it cannot be resumed. */
  readonly etag: string | undefined;
  /** Bytes of the whole body, if the server told. */
  readonly total: number | undefined;
  /** Base64 of the whole body's MD5 (RFC 1864), if the server told. */
  readonly md5: string | undefined;
}

const recordSchema = z.object({
  exportId: z.string(),
  etag: z.string().nullable(),
  total: z.int().min(0).nullable(),
  md5: z.string().nullable(),
  /** Bytes known to have reached the disk. */
  synced: z.int().min(0),
  /** The boot of the machine in which bytes were written. */
  boot: z.string(),
});

/** How much may have to be fetched again after a power cut. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;
/** Chunks of a socket are small; they are gathered so that a write is worth its call. */
const WRITE_BYTES = 1024 * 1024;
/** What is given up of a download when the disk is full; fetched again later. */
const GIVEN_BACK_BYTES = 1024 * 1024;

/**
 * A download in the making: `FILE.part` with the bytes, `FILE.part.json` with what they are the beginning of.
 *
 * After a killed process the part file's size can be believed, for the kernel still has the bytes; after a reboot only
 * what was synced can, so the record names the boot it was written in.
 */
export class PartFile {
  readonly #target: string;
  readonly #exportId: string;
  readonly #handle: FileHandle;
  readonly #boot: string;
  #identity: BodyIdentity;
  #received: number;
  #synced: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  private constructor(target: string, exportId: string, handle: FileHandle, boot: string, kept: Kept) {
    this.#target = target;
    this.#exportId = exportId;
    this.#handle = handle;
    this.#boot = boot;
    this.#identity = kept.identity;
    this.#received = kept.received;
    this.#synced = kept.received;
  }

  /**
   * Opens what was kept of a download of the same export to `target`, or begins a new one.
   * @throws ChatkeepError `storage`
   */
  static async open(target: string, exportId: string): Promise<PartFile> {
    try {
      const boot = await bootId();
      const kept = await readKept(target, exportId, boot);
      const handle = await open(partPath(target), kept.received > 0 ? 'r+' : 'w+', PRIVATE_FILE_MODE);
      // Bytes that are not believed now must not be believed later, when the record names this boot.
      await handle.truncate(kept.received);
      return new PartFile(target, exportId, handle, boot, kept);
    } catch (error) {
      throw asStorageError(error, 'write the download', target);
    }
  }

  /** Bytes that are kept, those not yet written included. */
  get received(): number {
    return this.#received;
  }

  get identity(): BodyIdentity {
    return this.#identity;
  }

  /** Begins anew with another body. */
  async restart(identity: BodyIdentity): Promise<void> {
    await this.#storing(async () => {
      this.#pending = [];
      this.#pendingBytes = 0;
      await this.#handle.truncate(0);
      this.#received = 0;
      this.#synced = 0;
      this.#identity = identity;
      await this.#writeRecord();
    });
  }

  /** Takes in what a later answer has told of the same body. */
  async learn(identity: BodyIdentity): Promise<void> {
    if (isDeepStrictEqual(identity, this.#identity)) return;
    this.#identity = identity;
    await this.#storing(() => this.#writeRecord());
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.byteLength;
    this.#received += chunk.byteLength;
    if (this.#pendingBytes >= WRITE_BYTES) await this.flush();
    if (this.#received - this.#synced >= SYNC_EVERY_BYTES) await this.#sync();
  }

  /** Hands all bytes to the file system. */
  async flush(): Promise<void> {
    await this.#storing(async () => {
      let position = this.#received - this.#pendingBytes;
      while (this.#pendingBytes > 0) {
        const { bytesWritten } = await this.#handle.writev(this.#pending, position);
        position += bytesWritten;
        this.#pending = without(this.#pending, bytesWritten);
        this.#pendingBytes -= bytesWritten;
      }
    });
  }

  /** The MD5 of what was received, in base64 (RFC 1864). */
  async md5(): Promise<string> {
    await this.flush();
    const hash = createHash('md5');
    await this.#storing(() => feedFile(hash, partPath(this.#target)));
    return hash.digest('base64');
  }

  /** The last `bytes` bytes received. */
  async tail(bytes: number): Promise<Buffer> {
    await this.flush();
    const length = Math.min(bytes, this.#received);
    const buffer = Buffer.alloc(length);
    await this.#storing(() => this.#handle.read(buffer, 0, length, this.#received - length));
    return buffer;
  }

  /** The download is whole: gives it its final name, durably. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#storing(async () => {
      await this.#handle.sync();
      await rename(partPath(this.#target), this.#target);
      await syncDirectory(dirname(this.#target));
      await rm(recordPath(this.#target), { force: true });
    });
  }

  /** Keeps what was received for the next time. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#handle.close();
    }
  }

  async #sync(): Promise<void> {
    await this.flush();
    await this.#storing(async () => {
      await this.#handle.datasync();
      this.#synced = this.#received;
      await this.#writeRecord();
    });
  }

  async #writeRecord(): Promise<void> {
    const record: z.input<typeof recordSchema> = {
      exportId: this.#exportId,
      etag: this.#identity.etag ?? null,
      total: this.#identity.total ?? null,
      md5: this.#identity.md5 ?? null,
      synced: this.#synced,
      boot: this.#boot,
    };
    await writeFileDurably(recordPath(this.#target), JSON.stringify(record));
  }

  /** On a disk filled to the last byte, the journal could not even record that it is full. */
  async #giveRoomBack(): Promise<void> {
    this.#received = Math.max(0, this.#received - GIVEN_BACK_BYTES);
    this.#synced = Math.min(this.#synced, this.#received);
    await this.#handle.truncate(this.#received);
  }

  async #storing(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // What could not be written was not received.
      this.#received -= this.#pendingBytes;
      this.#pending = [];
      this.#pendingBytes = 0;
      if (errorCode(error) === 'ENOSPC') await this.#giveRoomBack();
      throw asStorageError(error, 'write the download', this.#target);
    }
  }
}

interface Kept {
  readonly identity: BodyIdentity;
  readonly received: number;
}

const NOTHING: Kept = { identity: { etag: undefined, total: undefined, md5: undefined }, received: 0 };

async function readKept(target: string, exportId: string, boot: string): Promise<Kept> {
  const size = (await sizeOf(partPath(target))) ?? 0;
  const record = await readRecord(recordPath(target));
  if (record === undefined || record.exportId !== exportId) return NOTHING;
  const received = record.boot === boot ? size : Math.min(size, record.synced);
  if (record.total !== null && received > record.total) return NOTHING;
  return {
    identity: { etag: record.etag ?? undefined, total: record.total ?? undefined, md5: record.md5 ?? undefined },
    received,
  };
}

async function readRecord(path: string): Promise<z.output<typeof recordSchema> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Linux's id of this boot; elsewhere unknown, and then only synced bytes are believed. */
async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return `unknown-${process.pid}-${Date.now()}`;
  }
}

function without(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let rest = bytes;
  let index = 0;
  for (; index < chunks.length; index += 1) {
    const length = chunks[index]?.byteLength ?? 0;
    if (rest < length) break;
    rest -= length;
  }
  const left = chunks.slice(index);
  if (rest > 0 && left[0] !== undefined) left[0] = left[0].subarray(rest);
  return left;
}

/** Where the bytes of a download to `target` lie while it is not whole. */
export function partPath(target: string): string {
  return `${target}.part`;
}

/** Where the record of a download to `target` lies. */
export function recordPath(target: string): string {
  return `${target}.part.json`;
}
