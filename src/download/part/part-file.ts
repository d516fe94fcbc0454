import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { asStorageError, errorCode } from '../../lib/errors.ts';
import { PRIVATE_FILE_MODE, sizeOf, syncDirectory } from '../../lib/files.ts';
import { feedFile } from '../../lib/hash.ts';
import { Mutex } from '../../lib/mutex.ts';
import { type Extent, Extents } from './extents.ts';
import { type BodyIdentity, UNKNOWN } from './identity.ts';
import { PartWriter } from './part-writer.ts';
import {
  bootId,
  newRecordPath,
  type PartRecord,
  ProgressFile,
  readProgress,
  readRecord,
  writeRecord,
} from './record.ts';

/** How much may have to be fetched again after a power cut. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;
/**
 * What writers hold back, for the fewer calls a gigabyte takes, the faster it is there. It is lost when the process is
 * killed: so all of them together hold back a small share of what this process has written, but for the beginning.
 */
const GATHER = { leastBytesOfAll: 512 * 1024, shareOfAll: 1 / 50, mostBytesOfOne: 4 * 1024 * 1024 };
/** What is given up of a download when the disk is full; fetched again later. */
const GIVEN_BACK_BYTES = 1024 * 1024;

/**
 * A download in the making, of which any bytes may be there: `FILE.part` has the bytes, each at its place;
 * `FILE.part.json` tells of what body they are and which of them have reached the disk; `FILE.part.progress` tells which
 * have been written. After a killed process what was written is there, for the kernel has it; after a reboot only what
 * was synced can be believed.
 */
export class PartFile {
  readonly #target: string;
  readonly #exportId: string;
  readonly #handle: FileHandle;
  readonly #progress: ProgressFile;
  readonly #records = new Mutex();
  #written: Extents;
  #identity: BodyIdentity;
  #synced: Extents;
  readonly #writers = new Set<PartWriter>();
  /** Until the progress file knows of all that is written. Never rejects. */
  #telling: Promise<void> = Promise.resolve();
  #unsyncedBytes = 0;
  /** By this process. */
  #writtenBytes = 0;
  #syncing: Promise<void> | undefined;
  #trouble: unknown;

  private constructor(parts: {
    target: string;
    handle: FileHandle;
    progress: ProgressFile;
    written: Extents;
    record: PartRecord;
  }) {
    this.#target = parts.target;
    this.#exportId = parts.record.exportId;
    this.#handle = parts.handle;
    this.#progress = parts.progress;
    this.#written = parts.written;
    this.#identity = parts.record.identity;
    this.#synced = parts.record.synced;
  }

  /**
   * Opens what was kept of a download of the same export to `target`, or begins a new one.
   * @throws ChatkeepError `storage`
   */
  static async open(target: string, exportId: string): Promise<PartFile> {
    try {
      await using stack = new AsyncDisposableStack();
      const boot = await bootId();
      const { record, written, shrunk } = await readKept(target, exportId, boot);
      // When the file grows again, nothing must claim what it has lost.
      if (shrunk) await writeRecord(recordPath(target), record);
      const progress = await ProgressFile.open(progressPath(target), boot, written);
      stack.defer(() => progress.close());
      const handle = await open(partPath(target), written.bytes > 0 ? 'r+' : 'w+', PRIVATE_FILE_MODE);
      stack.defer(() => handle.close());
      await handle.truncate(written.end);
      stack.move();
      return new PartFile({ target, handle, progress, written, record });
    } catch (error) {
      throw asStorageError(error, 'write the download', target);
    }
  }

  /** Bytes that have arrived, those not yet written included. */
  get received(): number {
    let bytes = this.#written.bytes;
    for (const { gathered } of this.#writers) bytes += gathered;
    return bytes;
  }

  get identity(): BodyIdentity {
    return this.#identity;
  }

  /** What has not been written yet, in order; the last stretch is without end while the body's length is not known. */
  get missing(): Extent[] {
    return this.#written.missing(this.#identity.total ?? Number.POSITIVE_INFINITY);
  }

  /** Begins anew with another body. No writer of the one before may be at work. */
  async restart(identity: BodyIdentity): Promise<void> {
    await this.#storing(async () => {
      await this.#syncing;
      this.#written = Extents.NONE;
      this.#unsyncedBytes = 0;
      // In this order: at no moment is there a claim to bytes that are not there.
      await this.#progress.tell(this.#written);
      await this.#handle.truncate(0);
      await this.#record(identity, Extents.NONE);
    });
  }

  /** Takes in what a later answer has told of the same body. */
  async learn(identity: BodyIdentity): Promise<void> {
    if (isDeepStrictEqual(identity, this.#identity)) return;
    await this.#storing(async () => {
      await this.#syncing;
      await this.#record(identity, this.#synced);
    });
  }

  /** Writes what comes from `position` on. Several writers may be at work, each in a stretch of its own; each is closed. */
  writerAt(position: number): PartWriter {
    const writer = new PartWriter(position, {
      writeOut: (chunks, at, wrote) => this.#write(chunks, at, wrote),
      gatherBytes: () => this.#gatherBytes,
      closed: () => this.#writers.delete(writer),
    });
    this.#writers.add(writer);
    return writer;
  }

  /** What each writer may hold back. */
  get #gatherBytes(): number {
    const ofAll = Math.max(GATHER.leastBytesOfAll, this.#writtenBytes * GATHER.shareOfAll);
    return Math.min(ofAll / this.#writers.size, GATHER.mostBytesOfOne);
  }

  /** The MD5 of what was written, in base64 (RFC 1864). */
  async md5(): Promise<string> {
    const hash = createHash('md5');
    await this.#storing(() => feedFile(hash, partPath(this.#target)));
    return hash.digest('base64');
  }

  /** The last `bytes` bytes written. */
  async tail(bytes: number): Promise<Buffer> {
    const length = Math.min(bytes, this.#written.end);
    const buffer = Buffer.alloc(length);
    await this.#storing(() => this.#handle.read(buffer, 0, length, this.#written.end - length));
    return buffer;
  }

  /** The download is whole: gives it its final name, durably. */
  async finish(): Promise<void> {
    await this.#storing(async () => {
      await this.#syncing;
      await this.#handle.sync();
      await rename(partPath(this.#target), this.#target);
      await syncDirectory(dirname(this.#target));
      const [, ...remains] = filesOfDownload(this.#target);
      for (const path of remains) await rm(path, { force: true });
    });
  }

  /** Keeps what was written for the next time. No writer may be at work. */
  async close(): Promise<void> {
    try {
      await this.#syncing;
      await this.#telling;
      if (errorCode(this.#trouble) === 'ENOSPC') await this.#giveRoomBack();
    } finally {
      await this.#handle.close();
      await this.#progress.close();
    }
  }

  async #write(chunks: readonly Uint8Array[], position: number, wrote: (bytes: number) => void): Promise<void> {
    await this.#storing(async () => {
      let left = [...chunks];
      let at = position;
      while (left.length > 0) {
        const { bytesWritten } = await this.#handle.writev(left, at);
        this.#written = this.#written.with({ start: at, end: at + bytesWritten });
        wrote(bytesWritten);
        at += bytesWritten;
        left = without(left, bytesWritten);
      }
      this.#telling = this.#tell();
      this.#writtenBytes += at - position;
      this.#unsyncedBytes += at - position;
      if (this.#unsyncedBytes >= SYNC_EVERY_BYTES) this.#syncing ??= this.#sync();
    });
  }

  /** Goes on beside the next write. Never rejects. */
  async #tell(): Promise<void> {
    try {
      await this.#progress.tell(this.#written);
    } catch (error) {
      this.#trouble ??= error;
    }
  }

  /** Goes on beside the writing: a disk that takes its time does not hold up the network. Never rejects. */
  async #sync(): Promise<void> {
    const written = this.#written;
    this.#unsyncedBytes = 0;
    try {
      await this.#handle.datasync();
      await this.#record(this.#identity, written);
    } catch (error) {
      this.#trouble ??= error;
    } finally {
      this.#syncing = undefined;
    }
  }

  async #record(identity: BodyIdentity, synced: Extents): Promise<void> {
    this.#identity = identity;
    this.#synced = synced;
    await this.#records.run(() => {
      return writeRecord(recordPath(this.#target), { exportId: this.#exportId, identity, synced });
    });
  }

  /** On a disk filled to the last byte, the journal could not even record that it is full. */
  async #giveRoomBack(): Promise<void> {
    this.#written = this.#written.upTo(this.#written.end - GIVEN_BACK_BYTES);
    await this.#progress.tell(this.#written);
    await this.#handle.truncate(this.#written.end);
    await this.#record(this.#identity, this.#synced.upTo(this.#written.end));
  }

  /** After the first failure nothing is stored any more: what is there can be told for certain. */
  async #storing(work: () => Promise<unknown>): Promise<void> {
    try {
      if (this.#trouble !== undefined) throw this.#trouble;
      await work();
    } catch (error) {
      this.#trouble ??= error;
      throw asStorageError(error, 'write the download', this.#target);
    }
  }
}

/** What an earlier download has left. */
interface Kept {
  readonly record: PartRecord;
  readonly written: Extents;
  /** Whether less is there than was synced. */
  readonly shrunk: boolean;
}

async function readKept(target: string, exportId: string, boot: string): Promise<Kept> {
  const none = Extents.NONE;
  const nothing: Kept = { record: { exportId, identity: UNKNOWN, synced: none }, written: none, shrunk: false };
  const size = (await sizeOf(partPath(target))) ?? 0;
  const record = await readRecord(recordPath(target));
  if (record === undefined || record.exportId !== exportId) return nothing;
  const written = ((await readProgress(progressPath(target), boot)) ?? record.synced).upTo(size);
  if (written.end > (record.identity.total ?? Number.POSITIVE_INFINITY)) return nothing;
  return { record: { ...record, synced: record.synced.upTo(size) }, written, shrunk: record.synced.end > size };
}

function without(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
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

/** Where it is told which bytes of a download to `target` have been written. */
export function progressPath(target: string): string {
  return `${target}.part.progress`;
}

/** Every file that a download to `target` may leave. */
export function filesOfDownload(target: string): string[] {
  const record = recordPath(target);
  return [target, partPath(target), record, newRecordPath(record), progressPath(target)];
}
