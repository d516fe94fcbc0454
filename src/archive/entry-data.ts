import { pipeline } from 'node:stream/promises';
import { constants, crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { errorCode } from '../lib/errors.ts';
import type { ArchiveBytes } from './archive-bytes.ts';
import type { ZipEntry } from './inspect.ts';
import { type ArchiveRefusal, refuseEntry } from './refusal.ts';

/**
 * What is inflated in one call. For more, the streaming inflater takes less memory, and inflates in another thread while
 * this one hashes and writes; for less, handing each piece to that thread and back costs more than it brings.
 */
const ONE_CALL_BYTES = 1024 * 1024;
/** What the streaming inflater hands on at a time. With 64 kB it takes 1.4 times the CPU time; with 1 MB no less. */
const CHUNK_BYTES = 256 * 1024;

/** What it is given at a time: this becomes some 300 kB of JSON. */
const PACKED_CHUNK_BYTES = 32 * 1024;

/** Takes what was unpacked; the chunk may be used again when it returns. */
export type Sink = (chunk: Buffer) => void;

/**
 * Unpacks one entry, chunk by chunk, into `sink`, and checks it on the way: not a byte more than the directory says
 * reaches the sink; at the end the size, the packed size and the CRC-32 must be as said.
 *
 * @throws ArchiveRefusal `wrong-size`, `wrong-crc` or `corrupt-data`; what `sink` or the disk throws
 */
export async function readEntryData(archive: ArchiveBytes, entry: ZipEntry, sink: Sink): Promise<void> {
  let bytes = 0;
  let crc = 0;
  function check(chunk: Buffer): void {
    bytes += chunk.length;
    if (bytes > entry.bytes) throw refuseEntry('wrong-size', entry.path, 'unpacks to more than the archive says');
    crc = crc32(chunk, crc);
    sink(chunk);
  }

  if (entry.method === 'stored') {
    for (const chunk of archive.range(entry.dataStart, entry.packedBytes)) check(chunk);
  } else if (entry.bytes <= ONE_CALL_BYTES && entry.packedBytes <= ONE_CALL_BYTES) {
    const whole = inflateAtOnce(archive, entry);
    check(whole);
    release(whole);
  } else {
    await inflateStreamed(archive, entry, check);
  }
  if (bytes !== entry.bytes) throw refuseEntry('wrong-size', entry.path, 'unpacks to less than the archive says');
  if (crc !== entry.crc32) throw refuseEntry('wrong-crc', entry.path, 'is damaged: its checksum (CRC-32) is wrong');
}

function inflateAtOnce(archive: ArchiveBytes, entry: ZipEntry): Buffer {
  // One byte more than it should need, so that a longer one is seen, and one buffer always holds it all.
  const room = Math.max(entry.bytes + 1, constants.Z_MIN_CHUNK);
  const packed = archive.read(entry.dataStart, entry.packedBytes);
  try {
    const { buffer, engine } = inflateRawSync(packed, {
      chunkSize: room,
      maxOutputLength: room,
      info: true,
    }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    // What is too much is told by the caller.
    if (engine.bytesWritten !== entry.packedBytes && buffer.length <= entry.bytes) throw leftOver(entry);
    return buffer;
  } catch (error) {
    throw asRefusal(error, entry);
  }
}

async function inflateStreamed(archive: ArchiveBytes, entry: ZipEntry, sink: Sink): Promise<void> {
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES });
  async function* packed(): AsyncGenerator<Buffer> {
    // The inflater keeps a chunk while it works on it.
    for (const chunk of archive.range(entry.dataStart, entry.packedBytes, PACKED_CHUNK_BYTES)) yield Buffer.from(chunk);
  }
  try {
    await pipeline(packed, inflate, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        sink(chunk);
        release(chunk);
      }
    });
  } catch (error) {
    throw asRefusal(error, entry);
  }
  if (inflate.bytesWritten !== entry.packedBytes) throw leftOver(entry);
}

/**
 * Gives the memory of an inflater's output back at once. The garbage collector would let 64 MB of it gather in each
 * thread before it looks. An output buffer may come in several pieces: only the last of them reaches to its end.
 */
function release({ buffer, byteOffset, length }: Buffer): void {
  if (
    buffer instanceof ArrayBuffer &&
    buffer.byteLength > Buffer.poolSize &&
    byteOffset + length === buffer.byteLength
  ) {
    buffer.transfer(0);
  }
}

function asRefusal(error: unknown, entry: ZipEntry): unknown {
  const code = errorCode(error);
  if (code === 'ERR_BUFFER_TOO_LARGE') {
    return refuseEntry('wrong-size', entry.path, 'unpacks to more than the archive says', { cause: error });
  }
  if (code?.startsWith('Z_') === true) {
    return refuseEntry('corrupt-data', entry.path, 'cannot be unpacked: its data is damaged', { cause: error });
  }
  // The inflater closed at the end of the DEFLATE stream, while there was more to read.
  return code === 'ERR_STREAM_PREMATURE_CLOSE' ? leftOver(entry) : error;
}

function leftOver(entry: ZipEntry): ArchiveRefusal {
  return refuseEntry('wrong-size', entry.path, 'is packed in fewer bytes than the archive says');
}
