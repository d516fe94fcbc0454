import type { FileHandle } from 'node:fs/promises';
import { RandomAccessReader } from 'yauzl';

/** The directory is read in pages of this size: yauzl asks for some 50 bytes at a time. */
const WINDOW_BYTES = 64 * 1024;

/**
 * Up to `length` bytes from `position`; fewer where the file ends before.
 *
 * @param buffer holds them, where it is told: `length` bytes or more
 */
export async function readAt(
  file: FileHandle,
  position: number,
  length: number,
  buffer = Buffer.allocUnsafe(length),
): Promise<Buffer> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
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
    if (this.#takeFromWindow(buffer, offset, length, position)) {
      process.nextTick(callback, null);
      return;
    }
    this.#readInto(buffer, offset, length, position).then(
      // A turn of the event loop for every page lets timers and abort signals through.
      () => setImmediate(callback, null),
      (error: Error) => setImmediate(callback, error),
    );
  }

  #takeFromWindow(buffer: Buffer, offset: number, length: number, position: number): boolean {
    const start = position - this.#windowStart;
    if (!(start >= 0 && start + length <= this.#window.length)) return false;
    this.#window.copy(buffer, offset, start, start + length);
    return true;
  }

  async #readInto(buffer: Buffer, offset: number, length: number, position: number): Promise<void> {
    if (!Number.isSafeInteger(position) || position + length > this.#bytes) throw new Error('unexpected end of file');
    this.#window = await readAt(this.#file, position, Math.max(length, WINDOW_BYTES));
    this.#windowStart = position;
    if (!this.#takeFromWindow(buffer, offset, length, position)) throw new Error('unexpected end of file');
  }
}
