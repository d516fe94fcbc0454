import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { errorCode } from '../lib/errors.ts';
import type { ZipEntry, ZipInspection } from './inspect.ts';
import { readRange } from './reader.ts';
import { ArchiveRefusal, refuseEntry } from './refusal.ts';

/** What the inflater hands on at a time. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Opens the archive that was inspected.
 *
 * @throws ArchiveRefusal `changed` if it has another size by now
 */
export async function reopenArchive(inspection: ZipInspection): Promise<FileHandle> {
  const file = await open(inspection.archive);
  const { size } = await file.stat();
  if (size === inspection.bytes) return file;
  await file.close();
  throw new ArchiveRefusal('changed', 'The archive has changed since it was checked.');
}

/**
 * Unpacks one entry, chunk by chunk, into `sink`, and checks it on the way: not a byte more than the directory says
 * reaches the sink; at the end the size, the packed size and the CRC-32 must be as said.
 *
 * @throws ArchiveRefusal `wrong-size`, `wrong-crc` or `corrupt-data`; what `sink` throws; an AbortError
 */
export async function readEntryData(
  file: FileHandle,
  entry: ZipEntry,
  signal: AbortSignal | undefined,
  sink: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  let bytes = 0;
  let crc = 0;
  async function check(chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > entry.bytes) throw refuseEntry('wrong-size', entry.path, 'unpacks to more than the archive says');
      crc = crc32(chunk, crc);
      await sink(chunk);
    }
  }

  const packed = readRange(file, entry.dataStart, entry.packedBytes);
  const abortable = signal === undefined ? {} : { signal };
  if (entry.method === 'stored') {
    await pipeline(packed, check, abortable);
  } else {
    const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES });
    try {
      await pipeline(packed, inflate, check, abortable);
    } catch (error) {
      throw asRefusal(error, entry);
    }
    if (inflate.bytesWritten !== entry.packedBytes) throw leftOver(entry);
  }
  if (bytes !== entry.bytes) throw refuseEntry('wrong-size', entry.path, 'unpacks to less than the archive says');
  if (crc !== entry.crc32) throw refuseEntry('wrong-crc', entry.path, 'is damaged: its checksum (CRC-32) is wrong');
}

function asRefusal(error: unknown, entry: ZipEntry): unknown {
  const code = errorCode(error);
  if (code?.startsWith('Z_') === true) {
    return refuseEntry('corrupt-data', entry.path, 'cannot be unpacked: its data is damaged', { cause: error });
  }
  // The inflater closed at the end of the DEFLATE stream, while there was more to read.
  return code === 'ERR_STREAM_PREMATURE_CLOSE' ? leftOver(entry) : error;
}

function leftOver(entry: ZipEntry): ArchiveRefusal {
  return refuseEntry('wrong-size', entry.path, 'is packed in fewer bytes than the archive says');
}
