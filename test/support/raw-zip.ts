import { crc32, deflateRawSync } from 'node:zlib';

/** What a header says about an entry; every field can lie. */
export interface RawHeader {
  readonly name: string | Buffer;
  readonly method: number;
  readonly flags: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Extra field, already encoded. */
  readonly extra: Buffer;
}

export interface RawEntry extends Partial<RawHeader> {
  readonly name: string | Buffer;
  /** The honest content; packed, CRC and sizes are made from it unless given. */
  readonly content?: Buffer | string;
  /** The bytes that lie in the archive, whatever `content` and `method` say. */
  readonly packed?: Buffer;
  /** `st_mode`, for the upper half of the external attributes. */
  readonly mode?: number;
  /** DOS date and time. */
  readonly dosDate?: number;
  readonly dosTime?: number;
  /** Where the local header differs from the directory. */
  readonly local?: Partial<RawHeader>;
  /** Points the directory at this offset and writes nothing for the entry itself. */
  readonly offset?: number;
}

export interface RawArchive {
  /** What the end record claims. */
  readonly entryCount?: number;
  readonly comment?: Buffer;
  readonly before?: Buffer;
  readonly after?: Buffer;
}

/** Bit 11: the name is UTF-8. */
const UTF8 = 0x0800;

/**
 * A ZIP written by hand (APPNOTE 4.3), for what an honest writer refuses to write. Entries are deflated, regular,
 * mode 0600, of 2026-11-21 19:05:32 unless told otherwise.
 */
export function rawZip(entries: readonly RawEntry[], archive: RawArchive = {}): Buffer {
  const parts: Buffer[] = [archive.before ?? Buffer.alloc(0)];
  const position = () => parts.reduce((sum, part) => sum + part.length, 0);
  const directory: Buffer[] = [];
  for (const entry of entries) {
    const { packed, header } = complete(entry);
    const offset = entry.offset ?? position();
    if (entry.offset === undefined) parts.push(localHeader(entry, { ...header, ...entry.local }), packed);
    directory.push(centralHeader(entry, header, offset));
  }
  const start = position();
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const comment = archive.comment ?? Buffer.alloc(0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  const entryCount = archive.entryCount ?? entries.length;
  end.writeUInt16LE(entryCount, 8);
  end.writeUInt16LE(entryCount, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(start, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, ...directory, end, comment, archive.after ?? Buffer.alloc(0)]);
}

function complete(entry: RawEntry): { packed: Buffer; header: RawHeader } {
  const content = Buffer.from(entry.content ?? '');
  const method = entry.method ?? 8;
  const packed = entry.packed ?? (method === 8 ? deflateRawSync(content) : content);
  return {
    packed,
    header: {
      name: entry.name,
      method,
      flags: entry.flags ?? (typeof entry.name === 'string' ? UTF8 : 0),
      crc32: entry.crc32 ?? crc32(content),
      packedBytes: entry.packedBytes ?? packed.length,
      bytes: entry.bytes ?? content.length,
      extra: entry.extra ?? Buffer.alloc(0),
    },
  };
}

const DOS_DATE = ((2026 - 1980) << 9) | (11 << 5) | 21;
const DOS_TIME = (19 << 11) | (5 << 5) | 16;

function common(entry: RawEntry, header: RawHeader): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(header.flags, 2);
  fields.writeUInt16LE(header.method, 4);
  fields.writeUInt16LE(entry.dosTime ?? DOS_TIME, 6);
  fields.writeUInt16LE(entry.dosDate ?? DOS_DATE, 8);
  fields.writeUInt32LE(header.crc32, 10);
  fields.writeUInt32LE(header.packedBytes, 14);
  fields.writeUInt32LE(header.bytes, 18);
  fields.writeUInt16LE(Buffer.from(header.name).length, 22);
  fields.writeUInt16LE(header.extra.length, 24);
  return fields;
}

function localHeader(entry: RawEntry, header: RawHeader): Buffer {
  return Buffer.concat([Buffer.from('PK\x03\x04'), common(entry, header), Buffer.from(header.name), header.extra]);
}

function centralHeader(entry: RawEntry, header: RawHeader, offset: number): Buffer {
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((entry.mode ?? 0o100600) << 16) >>> 0, 6);
  rest.writeUInt32LE(offset, 10);
  const madeByUnix = Buffer.from([63, 3]);
  return Buffer.concat([
    Buffer.from('PK\x01\x02'),
    madeByUnix,
    common(entry, header),
    rest,
    Buffer.from(header.name),
    header.extra,
  ]);
}

/** One extra field (APPNOTE 4.5). */
export function extraField(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

/** A ZIP64 extra field with these 64-bit values, in order. */
export function zip64Field(...values: number[]): Buffer {
  const data = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) data.writeBigUInt64LE(BigInt(value), index * 8);
  return extraField(0x0001, data);
}
