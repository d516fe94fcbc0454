import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { generatedBytes } from './generated.ts';

/** An export's bytes: a file on disk, which is read as it is sent, a buffer, or so many that are made as they are sent. */
export type ExportBody = { readonly path: string } | { readonly bytes: Buffer } | { readonly generated: number };

/** Large reads keep a 5 GB body cheap. */
const READ_BYTES = 1024 * 1024;

/** A body that can be sent in part. */
export class ReadableBody {
  /** The whole length. */
  readonly bytes: number;
  /** Hex digits that differ where the content does: its SHA-256, or the file's path, size and time of change. */
  readonly fingerprint: string;
  readonly #source: ExportBody;
  #md5: Promise<string> | undefined;

  /** @throws the file system's error if there is no such file */
  constructor(source: ExportBody) {
    this.#source = source;
    const hash = createHash('sha256');
    if ('bytes' in source) {
      this.bytes = source.bytes.length;
      this.fingerprint = hash.update(source.bytes).digest('hex');
    } else if ('generated' in source) {
      this.bytes = source.generated;
      this.fingerprint = hash.update(`generated ${source.generated}`).digest('hex');
    } else {
      const { size, mtimeMs } = statSync(source.path);
      this.bytes = size;
      this.fingerprint = hash.update(`${source.path} ${size} ${mtimeMs}`).digest('hex');
    }
  }

  /** The bytes from `first` to `last` (included), in pieces of `mostBytes` at most. */
  async *read(first: number, last: number, mostBytes = READ_BYTES): AsyncGenerator<Buffer, void, undefined> {
    if (last < first) return;
    for await (const chunk of this.#chunks(first, last)) {
      for (let at = 0; at < chunk.length; at += mostBytes) yield chunk.subarray(at, at + mostBytes);
    }
  }

  /** The MD5 in base64, as Content-MD5 has it (RFC 1864); the content is read once, at the first call. */
  md5(): Promise<string> {
    this.#md5 ??= this.#computeMd5();
    return this.#md5;
  }

  #chunks(first: number, last: number): AsyncIterable<Buffer> | Iterable<Buffer> {
    if ('bytes' in this.#source) return [this.#source.bytes.subarray(first, last + 1)];
    if ('generated' in this.#source) return generatedBytes(first, last, this.bytes);
    return createReadStream(this.#source.path, { start: first, end: last, highWaterMark: READ_BYTES });
  }

  async #computeMd5(): Promise<string> {
    const hash = createHash('md5');
    for await (const piece of this.read(0, this.bytes - 1)) hash.update(piece);
    return hash.digest('base64');
  }
}
