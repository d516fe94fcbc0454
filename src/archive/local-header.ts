import type { FileHandle } from 'node:fs/promises';
import { type Entry, parseExtraFields } from 'yauzl';
import { readAt } from './reader.ts';
import { refuseEntry } from './refusal.ts';

/** The fixed part of a local file header, and how it begins (APPNOTE 4.3.7). */
const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER_SIGNATURE = 0x04034b50;

/** Bit 0: encrypted. Bit 3: CRC and sizes follow the data, since they were not known before (APPNOTE 4.4.4). */
const ENCRYPTED_FLAG = 0x0001;
const STREAMED_FLAG = 0x0008;

/** A size that is to be found in the ZIP64 extra field (APPNOTE 4.5.3). */
const IN_ZIP64_FIELD = 0xffff_ffff;
const ZIP64_FIELD = 0x0001;

interface Sizes {
  readonly bytes: number;
  readonly packedBytes: number;
}

/** A header that lies no further than this behind the one before is read together with those that follow it. */
const NEAR_BYTES = 64 * 1024;
/** What is read at once at most, where one header has been near the other for a while; any header fits into it. */
const WINDOW_BYTES = 256 * 1024;
/** A header that lies alone has its name and extra fields in no more than this, as a rule. */
const ALONE_BYTES = 512;

/** Reads local headers, in the order in which they are asked for. Each is there until the next one is read. */
export class LocalHeaders {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #window: Buffer = this.#buffer.subarray(0, 0);
  #windowStart = 0;
  /** Where the one lies that was asked for last. */
  #last = Number.NEGATIVE_INFINITY;
  #atOnce = ALONE_BYTES;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** The header at `start`, with its name and extra fields, if it has been read together with one before it. */
  known(start: number): Buffer | undefined {
    const header = this.#inWindow(start);
    if (header !== undefined) this.#last = start;
    return header;
  }

  /** As {@link known}, from the disk; shorter where the archive ends before. */
  async read(start: number): Promise<Buffer> {
    const isNear = start >= this.#last && start - this.#last <= NEAR_BYTES;
    this.#atOnce = isNear ? Math.min(Math.max(NEAR_BYTES, 2 * this.#atOnce), WINDOW_BYTES) : ALONE_BYTES;
    this.#last = start;
    await this.#load(start, this.#atOnce);
    if (this.#window.length >= LOCAL_HEADER_BYTES && this.#inWindow(start) === undefined) {
      await this.#load(start, headerBytes(this.#window, 0));
    }
    return this.#inWindow(start) ?? this.#window;
  }

  #inWindow(start: number): Buffer | undefined {
    const from = start - this.#windowStart;
    if (from < 0 || from + LOCAL_HEADER_BYTES > this.#window.length) return undefined;
    const end = from + headerBytes(this.#window, from);
    return end <= this.#window.length ? this.#window.subarray(from, end) : undefined;
  }

  async #load(start: number, bytes: number): Promise<void> {
    this.#window = await readAt(this.#file, start, bytes, this.#buffer);
    this.#windowStart = start;
  }
}

/** How long the header that begins at `from` says that it is. */
function headerBytes(bytes: Buffer, from: number): number {
  return LOCAL_HEADER_BYTES + bytes.readUInt16LE(from + 26) + bytes.readUInt16LE(from + 28);
}

/**
 * Compares the header before an entry's data with the entry in the directory: name, method, encryption, and, unless the
 * archive was streamed, CRC and sizes. Programs that read the one or the other must see the same archive.
 *
 * @param header what {@link LocalHeaders} gives for the entry
 * @param name the decoded name, for the message
 * @param archiveBytes the size of the archive
 * @returns where the entry's data begins
 * @throws ArchiveRefusal `local-header-mismatch`
 */
export function checkLocalHeader(header: Buffer, archiveBytes: number, entry: Entry, name: string): number {
  const mismatch = (what: string) =>
    refuseEntry('local-header-mismatch', name, `${what}: the archive's directory says otherwise than the entry itself`);
  const start = entry.relativeOffsetOfLocalHeader;
  if (start + LOCAL_HEADER_BYTES > archiveBytes) throw mismatch('lies outside the archive');
  if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE) {
    throw mismatch('is not where it should be');
  }
  const nameEnd = LOCAL_HEADER_BYTES + header.readUInt16LE(26);
  const dataStart = start + headerBytes(header, 0);
  if (!header.subarray(LOCAL_HEADER_BYTES, nameEnd).equals(entry.fileNameRaw)) throw mismatch('has two names');
  if (header.readUInt16LE(8) !== entry.compressionMethod) throw mismatch('has two compression methods');
  const flags = header.readUInt16LE(6);
  if ((flags & ENCRYPTED_FLAG) !== 0) throw mismatch('is encrypted');
  if (dataStart + entry.compressedSize > archiveBytes) throw mismatch('reaches beyond the end of the archive');

  const streamed = (flags & STREAMED_FLAG) !== 0;
  const crc = header.readUInt32LE(14);
  if (crc !== entry.crc32 && !(streamed && crc === 0)) throw mismatch('has two checksums');
  const local = localSizes(header, nameEnd);
  const unknown = streamed && local !== undefined && local.bytes === 0 && local.packedBytes === 0;
  if (!unknown && (local?.bytes !== entry.uncompressedSize || local.packedBytes !== entry.compressedSize)) {
    throw mismatch('has two sizes');
  }
  return dataStart;
}

/** The sizes as the local header has them, or undefined where they should be in an extra field and are not. */
function localSizes(header: Buffer, nameEnd: number): Sizes | undefined {
  const packedBytes = header.readUInt32LE(18);
  const bytes = header.readUInt32LE(22);
  if (packedBytes !== IN_ZIP64_FIELD && bytes !== IN_ZIP64_FIELD) return { bytes, packedBytes };
  const field = zip64Field(header.subarray(nameEnd));
  // Both sizes must be there, in this order (APPNOTE 4.5.3); some writers give only those that do not fit.
  let next = 0;
  const wide = () => {
    const value = field !== undefined && next + 8 <= field.length ? Number(field.readBigUInt64LE(next)) : Number.NaN;
    next += 8;
    return value;
  };
  const fullBytes = bytes === IN_ZIP64_FIELD ? wide() : bytes;
  const fullPackedBytes = packedBytes === IN_ZIP64_FIELD ? wide() : packedBytes;
  return Number.isNaN(fullBytes) || Number.isNaN(fullPackedBytes)
    ? undefined
    : { bytes: fullBytes, packedBytes: fullPackedBytes };
}

function zip64Field(extra: Buffer): Buffer | undefined {
  try {
    return parseExtraFields(extra).find(({ id }) => id === ZIP64_FIELD)?.data;
  } catch {
    return undefined;
  }
}
