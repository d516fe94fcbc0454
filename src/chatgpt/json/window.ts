import type { FileHandle } from 'node:fs/promises';
import { isWhiteSpace } from './bytes.ts';

/** Large enough that parsing, not the calls, sets the pace. */
const READ_BYTES = 1024 * 1024;
const FIRST_BYTES = 2 * READ_BYTES;
/** What a value of any size has made of it is not kept. */
const MOST_SPARE_BYTES = 4 * FIRST_BYTES;

/**
 * The buffer of a window that is closed, for the next one: an export is read file by file, and the collector, which sees
 * small objects only, would let hundreds of megabytes of them lie.
 */
let spare: Buffer<ArrayBuffer> | undefined;

/**
 * A window that moves over a file: what has been read and not yet passed lies in one piece, so that a value can be
 * parsed where it is. It grows with the longest value, and no further. Positions are offsets in the file.
 */
export class Window implements Disposable {
  readonly #file: FileHandle;
  readonly #signal: AbortSignal | undefined;
  #buffer: Buffer<ArrayBuffer>;
  /** What lies between these two in the buffer has been read and not passed. */
  #from = 0;
  #to = 0;
  /** The file's offset of the buffer's first byte. */
  #base = 0;

  constructor(file: FileHandle, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#signal = signal;
    this.#buffer = spare ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
    spare = undefined;
  }

  /** Nothing may be looked at any more that it has given. */
  [Symbol.dispose](): void {
    if (this.#buffer.length <= MOST_SPARE_BYTES) spare = this.#buffer;
  }

  /** Where the window begins. */
  get position(): number {
    return this.#base + this.#from;
  }

  /** Where it ends: what comes behind has not been read yet. */
  get end(): number {
    return this.#base + this.#to;
  }

  /** The bytes between two positions in the window. A view: it holds until the next read. */
  bytes(from = this.position, to = this.end): Buffer {
    return this.#buffer.subarray(from - this.#base, to - this.#base);
  }

  /** Moves the window's beginning on. */
  pass(position: number): void {
    this.#from = Math.min(position - this.#base, this.#to);
  }

  /** Where `needle` begins in the window, at `from` or behind it. */
  find(needle: Uint8Array, from: number): number | undefined {
    const at = this.bytes(from).indexOf(needle);
    return at === -1 ? undefined : from + at;
  }

  /**
   * Reads on, and keeps all that has not been passed. Gives false at the end of the file.
   * @throws what reading throws; the signal's reason
   */
  async more(): Promise<boolean> {
    this.#signal?.throwIfAborted();
    this.#makeRoom();
    const { bytesRead } = await this.#file.read(this.#buffer, this.#to, READ_BYTES, this.end);
    this.#to += bytesRead;
    return bytesRead > 0;
  }

  #makeRoom(): void {
    if (this.#buffer.length - this.#to >= READ_BYTES) return;
    const kept = this.#to - this.#from;
    const needed = kept + READ_BYTES;
    const larger = needed > this.#buffer.length / 2 ? Buffer.allocUnsafeSlow(2 * needed) : this.#buffer;
    this.#buffer.copy(larger, 0, this.#from, this.#to);
    this.#buffer = larger;
    this.#base += this.#from;
    this.#from = 0;
    this.#to = kept;
  }

  /** The next byte that is not white space, which it passes; undefined at the end of the file. */
  async peek(): Promise<number | undefined> {
    for (;;) {
      for (let at = this.#from; at < this.#to; at += 1) {
        const byte = this.#buffer[at];
        if (byte !== undefined && !isWhiteSpace(byte)) {
          this.#from = at;
          return byte;
        }
      }
      this.#from = this.#to;
      if (!(await this.more())) return undefined;
    }
  }
}
