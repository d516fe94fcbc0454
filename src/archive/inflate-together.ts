import { gunzipSync } from 'node:zlib';
import type { ArchiveBytes } from './archive-bytes.ts';
import type { ZipEntry } from './inspect.ts';

/** A gzip file is a series of members: a header, DEFLATE data, its CRC-32 and its size (RFC 1952). */
const MEMBER_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
const MEMBER_TRAILER_BYTES = 8;
/** What every member begins with. */
const MEMBER_MARK = MEMBER_HEADER.subarray(0, 3);

/** What is inflated in one call. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Inflates many small entries in one call, and checks them: they are handed to zlib as one gzip file, each a member with
 * the CRC-32 and the size that the directory says. An inflater of its own costs more than inflating 4 kB does.
 *
 * @param entries deflated ones
 * @param sink takes each entry with its content, which may be used again when it returns
 * @returns false, before anything went to `sink`, if one of them is not as the directory says, or all of them are too
 *   much: `readEntryData` tells which, and what is wrong with it
 */
export function inflateTogether(
  archive: ArchiveBytes,
  entries: readonly ZipEntry[],
  sink: (entry: ZipEntry, content: Buffer) => void,
): boolean {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const content = inflateMembers(gzipOf(archive, entries), bytes);
  if (content === undefined) return false;
  let start = 0;
  for (const entry of entries) {
    sink(entry, content.subarray(start, start + entry.bytes));
    start += entry.bytes;
  }
  // Given back at once, as `readEntryData` does.
  if (content.buffer instanceof ArrayBuffer && content.buffer.byteLength > Buffer.poolSize) content.buffer.transfer(0);
  return true;
}

function gzipOf(archive: ArchiveBytes, entries: readonly ZipEntry[]): Buffer | undefined {
  const bytes = entries.reduce(
    (sum, { packedBytes }) => sum + MEMBER_HEADER.length + packedBytes + MEMBER_TRAILER_BYTES,
    0,
  );
  if (bytes > MOST_BYTES) return undefined;
  const gzip = Buffer.allocUnsafe(bytes);
  let end = 0;
  for (const entry of entries) {
    const packed = archive.read(entry.dataStart, entry.packedBytes);
    // Data that ends early, and goes on as a member of its own, would pass for one entry.
    if (packed.length < entry.packedBytes || packed.includes(MEMBER_MARK)) return undefined;
    end += MEMBER_HEADER.copy(gzip, end);
    end += packed.copy(gzip, end);
    end = gzip.writeUInt32LE(entry.crc32, end);
    end = gzip.writeUInt32LE(entry.bytes, end);
  }
  return gzip;
}

/** The members' contents in one buffer, or undefined if they are not so many bytes, or not sound. */
function inflateMembers(gzip: Buffer | undefined, bytes: number): Buffer | undefined {
  if (gzip === undefined || bytes > MOST_BYTES) return undefined;
  try {
    // One byte more than it should need, so that more is seen, and one buffer holds it all.
    const { buffer, engine } = gunzipSync(gzip, {
      chunkSize: Math.max(bytes + 1, 64),
      maxOutputLength: bytes + 1,
      info: true,
    }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    // After a zero byte where a member should begin, it takes the rest for padding.
    return buffer.length === bytes && engine.bytesWritten === gzip.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}
