import type { FileHandle } from 'node:fs/promises';
import { RandomAccessReader } from 'yauzl';

/** One read of an entry's data: large enough for disks, small enough that a few at a time cost next to no memory. */
const CHUNK_BYTES = 64 * 1024;

/** The directory is read in pages of this size: yauzl asks for some 50 bytes at a time. */
const WINDOW_BYTES = 4 * 1024;

/** Up to `length` bytes from `position`; fewer where the file ends before. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The bytes from `start`, `length` of them, in chunks; fewer where the file ends before. */
export async function* readRange(file: FileHandle, start: number, length: number): AsyncGenerator<Buffer, void> {
  for (let done = 0; done < length; ) {
    const chunk = await readAt(file, start + done, Math.min(CHUNK_BYTES, length - done));
    if (chunk.length === 0) return;
    yield chunk;
    done += chunk.length;
  }
}

/**
 * What yauzl reads the archive's directory through. It leaves the file handle to its owner (yauzl closes a descriptor
 * when it sees fit), and never reads beyond the end, whatever offsets the archive claims.
 */
export class DirectoryReader extends RandomAccessReader {
  readonly #file: FileHandle;
  readonly #bytes: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(file: FileHandle, bytes: number) {
    super();
    this.#file = file;
    this.#bytes = bytes;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#readInto(buffer, offset, length, position).then(
      // A turn of the event loop for every read lets timers and abort signals through.
      () => setImmediate(callback, null),
      (error: Error) => setImmediate(callback, error),
    );
  }

  async #readInto(buffer: Buffer, offset: number, length: number, position: number): Promise<void> {
    if (!Number.isSafeInteger(position) || position + length > this.#bytes) throw new Error('unexpected end of file');
    if (position < this.#windowStart || position + length > this.#windowStart + this.#window.length) {
      this.#window = await readAt(this.#file, position, Math.max(length, WINDOW_BYTES));
      this.#windowStart = position;
    }
    const start = position - this.#windowStart;
    if (this.#window.copy(buffer, offset, start, start + length) < length) throw new Error('unexpected end of file');
  }
}
