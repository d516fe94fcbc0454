import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';

/** One entry as it was written. */
export interface EntryFacts {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of the content, 64 hex digits. */
  readonly sha256: string;
  /** The entries of an entry that is itself an export's ZIP (portal). */
  readonly entries?: readonly EntryFacts[];
}

type Content = Iterable<Buffer> | AsyncIterable<Buffer>;

/** An entry to be written; its content is made when its turn comes. */
export interface PlannedEntry {
  readonly path: string;
  /** `store` for what no compressor shrinks and is too large to try. */
  readonly method: 'deflate' | 'store';
  readonly content: () => Content;
  /** Filled with the facts of an inner ZIP while `content` is read. */
  readonly inner?: readonly EntryFacts[];
}

export interface ZipOptions {
  /** The entries' modification time. */
  readonly stamp: Date;
  readonly forceZip64: boolean;
  readonly timestamps: 'extended' | 'dos';
}

/** yazl's default (and Python's) is 6; 1 makes the same kind of stream several times faster. */
const DEFLATE_LEVEL = 1;
const UNIX_PRIVATE_FILE_MODE = 0o100600;
const SOURCE_BUFFER_BYTES = 256 * 1024;

/**
 * The bytes of a ZIP (APPNOTE 6.3.9) with the entries in the order given, streamed; `written` receives each entry's
 * facts as soon as the entry is complete.
 */
export function zipStream(plan: readonly PlannedEntry[], options: ZipOptions, written: EntryFacts[]): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream;
  if (!(output instanceof Readable)) throw new TypeError('yazl gives its output as something else than a Readable');
  zip.on('error', (error) => output.destroy(error));
  const mtime = new UtcDate(options.stamp);
  for (const entry of plan) {
    const entryOptions = {
      mtime,
      mode: UNIX_PRIVATE_FILE_MODE,
      compressionLevel: entry.method === 'store' ? 0 : DEFLATE_LEVEL,
      forceZip64Format: options.forceZip64,
      forceDosTimestamp: options.timestamps === 'dos',
    };
    zip.addReadStreamLazy(entry.path, entryOptions, (callback) => {
      const source = Readable.from(recorded(entry, written), { objectMode: false, highWaterMark: SOURCE_BUFFER_BYTES });
      // yazl does not listen for its sources' errors.
      source.once('error', (error) => output.destroy(error));
      callback(null, source);
    });
  }
  zip.end({ forceZip64Format: options.forceZip64, comment: '' });
  return output;
}

async function* recorded(entry: PlannedEntry, written: EntryFacts[]): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of entry.content()) {
    hash.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  const facts = { path: entry.path, bytes, sha256: hash.digest('hex') };
  written.push(entry.inner === undefined ? facts : { ...facts, entries: entry.inner });
}

/**
 * A moment whose wall clock is UTC wherever the process runs. yazl fills a ZIP's DOS time fields from the local getters,
 * so that with a plain Date the same export would differ from machine to machine; with this one the DOS fields (2 s
 * resolution) and the extended timestamp (0x5455, to the second) both say the stamp in UTC.
 */
class UtcDate extends Date {
  override getFullYear(): number {
    return this.getUTCFullYear();
  }
  override getMonth(): number {
    return this.getUTCMonth();
  }
  override getDate(): number {
    return this.getUTCDate();
  }
  override getHours(): number {
    return this.getUTCHours();
  }
  override getMinutes(): number {
    return this.getUTCMinutes();
  }
  override getSeconds(): number {
    return this.getUTCSeconds();
  }
}
