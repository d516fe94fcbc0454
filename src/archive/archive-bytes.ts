import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ArchiveRefusal } from './refusal.ts';

/** What is read in one go: small entries that are neighbours come in one read. */
const WINDOW_BYTES = 512 * 1024;

/**
 * The bytes of an archive that was inspected, through one buffer that is used again and again. Its calls block: it is for
 * the threads that unpack.
 */
export class ArchiveBytes implements Disposable {
  readonly #descriptor: number;
  readonly #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #start = 0;
  #filled = 0;

  /**
   * @param bytes its size when it was inspected
   * @throws ArchiveRefusal `changed` if it has another size by now
   */
  constructor(path: string, bytes: number) {
    this.#descriptor = openSync(path, 'r');
    if (fstatSync(this.#descriptor).size === bytes) return;
    closeSync(this.#descriptor);
    throw new ArchiveRefusal('changed', 'The archive has changed since it was checked.');
  }

  /** `length` bytes from `position`, fewer where the file ends before. They are overwritten by the next call. */
  read(position: number, length: number): Buffer {
    if (length > WINDOW_BYTES) return this.#fill(Buffer.allocUnsafeSlow(length), position);
    if (position < this.#start || position + length > this.#start + this.#filled) {
      this.#filled = this.#fill(this.#window, position).length;
      this.#start = position;
    }
    const from = position - this.#start;
    return this.#window.subarray(from, Math.min(from + length, this.#filled));
  }

  /** The bytes from `start`, `length` of them, in chunks; fewer where the file ends before. Each overwrites the last. */
  *range(start: number, length: number, most = WINDOW_BYTES): Generator<Buffer, void> {
    for (let done = 0; done < length; ) {
      const chunk = this.read(start + done, Math.min(most, length - done));
      if (chunk.length === 0) return;
      yield chunk;
      done += chunk.length;
    }
  }

  #fill(buffer: Buffer, position: number): Buffer {
    let filled = 0;
    while (filled < buffer.length) {
      const bytes = readSync(this.#descriptor, buffer, filled, buffer.length - filled, position + filled);
      if (bytes === 0) break;
      filled += bytes;
    }
    return buffer.subarray(0, filled);
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
