import { type FileHandle, open } from 'node:fs/promises';
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { asStorageError, errorMessage, storageTrouble } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { count, formatBytes } from '../lib/text.ts';
import { checkLocalHeader, LocalHeaders } from './local-header.ts';
import { NAME_PROBLEM_WORDS } from './name-problem.ts';
import { decodeName, NameRegistry, nameProblem } from './names.ts';
import { DirectoryReader, readAt } from './reader.ts';
import { ArchiveRefusal, refuseEntry } from './refusal.ts';
import { assertIsZip } from './sniff.ts';
import { isSaneTime, newestTime, saneTime } from './times.ts';

/** How much an archive may ask of the machine. */
export interface ArchiveBudgets {
  readonly maxEntries: number;
  /** All files together, unpacked. */
  readonly maxUnpackedBytes: number;
  /** Unpacked size over packed size, of the whole archive. Honest exports stay below 20; DEFLATE ends at 1032. */
  readonly maxRatio: number;
}

export interface InspectOptions {
  readonly budgets: ArchiveBudgets;
  readonly signal?: AbortSignal;
}

/** A file in a ZIP, with a name and a place that have been checked. */
export interface ZipEntry {
  /** POSIX, relative, as it will be on disk. */
  readonly path: string;
  readonly bytes: number;
  readonly packedBytes: number;
  /** ms UTC. */
  readonly modified: number;
  readonly method: 'stored' | 'deflated';
  readonly crc32: number;
  /** Where the packed data begins in the archive. */
  readonly dataStart: number;
}

/** A ZIP whose structure has been checked; its data has not been read. */
export interface ZipInspection {
  readonly form: 'zip';
  readonly archive: string;
  /** The size of the archive itself. */
  readonly bytes: number;
  readonly entries: readonly ZipEntry[];
  /** All directories, also those that are only implied by a path; those above first. */
  readonly directories: readonly string[];
  readonly unpackedBytes: number;
  /** The newest time of an entry, ms UTC; undefined where the archive holds no times (1980-01-01 stands for none). */
  readonly newestEntry: number | undefined;
}

/** What lies at an offset, from the first byte of its local header to the last of its data. */
interface Extent {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/**
 * Reads an archive's directory and every local header, and checks all that can be checked before a byte is written:
 * names, collisions, kinds, methods, encryption, overlaps, budgets. Works on any ZIP, streamed and ZIP64 included.
 *
 * @throws ArchiveRefusal with the reason and the entry; ChatkeepError `storage`; the signal's reason
 */
export async function inspectZip(path: string, { budgets, signal }: InspectOptions): Promise<ZipInspection> {
  signal?.throwIfAborted();
  try {
    await using file = await open(path);
    return await inspect(path, file, budgets, signal);
  } catch (error) {
    throw asStorageError(error, 'read the archive', path);
  }
}

async function inspect(
  archive: string,
  file: FileHandle,
  budgets: ArchiveBudgets,
  signal: AbortSignal | undefined,
): Promise<ZipInspection> {
  const stats = await file.stat();
  if (!stats.isFile()) throw new ArchiveRefusal('not-a-zip', 'This is a device, not a ZIP.');
  const bytes = stats.size;
  await assertIsZip(file, bytes);
  const zip = await openDirectory(file, bytes);
  const directoryStart = directoryPosition(zip);
  if (zip.entryCount > budgets.maxEntries) {
    throw new ArchiveRefusal(
      'too-many-entries',
      `The archive has ${count(zip.entryCount, 'entry', 'entries')}; at most ${budgets.maxEntries.toLocaleString('en-US')} are allowed (archive.max_entries).`,
    );
  }

  const names = new NameRegistry();
  const entries: ZipEntry[] = [];
  const extents: Extent[] = [];
  const headers = new LocalHeaders(file);
  let unpackedBytes = 0;
  for await (const raw of entriesOf(zip)) {
    signal?.throwIfAborted();
    const { name, path, kind } = checkEntry(raw, names);
    const headerStart = raw.relativeOffsetOfLocalHeader;
    const header = headers.known(headerStart) ?? (await headers.read(headerStart));
    const dataStart = checkLocalHeader(header, bytes, raw, name);
    extents.push({ start: headerStart, end: dataStart + raw.compressedSize, name });
    if (kind === 'directory') continue;
    unpackedBytes += raw.uncompressedSize;
    if (unpackedBytes > budgets.maxUnpackedBytes) throw tooLarge(budgets);
    entries.push({
      path,
      bytes: raw.uncompressedSize,
      packedBytes: raw.compressedSize,
      modified: modifiedTime(raw),
      method: raw.compressionMethod === STORED ? 'stored' : 'deflated',
      crc32: raw.crc32,
      dataStart,
    });
  }
  await assertDirectoryEnds(zip, file);
  assertNoOverlap(extents, directoryStart);
  assertRatio(entries, unpackedBytes, budgets);
  if (entries.length === 0) throw new ArchiveRefusal('no-files', 'The archive holds no file.');
  return {
    form: 'zip',
    archive,
    bytes,
    entries,
    directories: names.directories(),
    unpackedBytes,
    newestEntry: newestTime(entries),
  };
}

async function openDirectory(file: FileHandle, bytes: number): Promise<ZipFile> {
  try {
    // Names are left undecoded: yauzl would replace what is not UTF-8, and refuse less than names.ts does.
    return await fromRandomAccessReaderPromise(new DirectoryReader(file, bytes), bytes, {
      autoClose: false,
      decodeStrings: false,
      validateEntrySizes: false,
      strictFileNames: true,
    });
  } catch (error) {
    throw malformed(error);
  }
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry, void> {
  try {
    // What whoever takes the entries throws does not come this way.
    for await (const entry of zip.eachEntry()) yield entry;
  } catch (error) {
    throw malformed(error);
  }
}

/** yauzl's errors about the structure, as a refusal; those of the disk are left as they are. */
function malformed(error: unknown): unknown {
  if (storageTrouble(error) !== undefined) return error;
  const message = errorMessage(error);
  if (message === 'strong encryption is not supported') {
    return new ArchiveRefusal('encrypted', 'The archive is encrypted.', { cause: error });
  }
  return new ArchiveRefusal('malformed', `The ZIP's directory is broken (${printable(message)}).`, { cause: error });
}

/** Where yauzl will read next: before the first entry, the start of the directory. (@types/yauzl has it as a boolean.) */
function directoryPosition(zip: ZipFile): number {
  return Number(zip.readEntryCursor);
}

const CENTRAL_HEADER_SIGNATURE = 0x02014b50;

/**
 * The number of entries is a claim of the archive. Were it too low (65,536 entries counted in 16 bits), the rest would
 * be left out without a word.
 */
async function assertDirectoryEnds(zip: ZipFile, file: FileHandle): Promise<void> {
  const next = await readAt(file, directoryPosition(zip), 4);
  if (next.length === 4 && next.readUInt32LE(0) === CENTRAL_HEADER_SIGNATURE) {
    throw new ArchiveRefusal('malformed', "The ZIP's directory is broken (it holds more entries than it says).");
  }
}

/** Compression methods (APPNOTE 4.4.5). */
const STORED = 0;
const DEFLATED = 8;

/** Bits 0, 6 and 13: encrypted, strongly encrypted, directory encrypted (APPNOTE 4.4.4). */
const ENCRYPTION_FLAGS = 0x2041;

interface CheckedEntry {
  /** As the archive has it, for messages. */
  readonly name: string;
  readonly path: string;
  readonly kind: 'file' | 'directory';
}

function checkEntry(raw: Entry, names: NameRegistry): CheckedEntry {
  const name = decodeName(raw.fileNameRaw, raw.generalPurposeBitFlag, raw.extraFields);
  if (name === undefined) {
    throw refuseEntry('invalid-utf8', raw.fileNameRaw.toString('latin1'), NAME_PROBLEM_WORDS['invalid-utf8']);
  }
  const kind = name.endsWith('/') ? 'directory' : 'file';
  const path = kind === 'directory' ? name.slice(0, -1) : name;
  const problem = nameProblem(path);
  if (problem !== undefined) throw refuseEntry(problem, name, NAME_PROBLEM_WORDS[problem]);
  checkKind(raw, name, kind);
  checkEncoding(raw, name);
  const collision = names.add(path, kind);
  if (collision !== undefined) {
    const other = printable(collision.with);
    throw refuseEntry(
      collision.problem,
      name,
      `would be the same as "${other}" on some file systems: one would be lost`,
    );
  }
  return { name, path, kind };
}

/** File types in the upper half of the external attributes, as in `st_mode` (<sys/stat.h>); 0 says nothing. */
const TYPE_MASK = 0o170000;
const TYPE_SYMBOLIC_LINK = 0o120000;
/** FIFO bits and no type at all occur in honest archives that were streamed. */
const FILE_TYPES: readonly number[] = [0, 0o100000, 0o010000];
const DIRECTORY_TYPES: readonly number[] = [...FILE_TYPES, 0o040000];

function checkKind(raw: Entry, name: string, kind: CheckedEntry['kind']): void {
  const type = (raw.externalFileAttributes >>> 16) & TYPE_MASK;
  if (type === TYPE_SYMBOLIC_LINK) {
    throw refuseEntry('symbolic-link', name, 'is a symbolic link: it could lead out of the snapshot');
  }
  const allowed = kind === 'directory' ? DIRECTORY_TYPES : FILE_TYPES;
  if (!allowed.includes(type)) throw refuseEntry('special-file', name, 'is a device or another special file');
  if (kind === 'directory' && raw.uncompressedSize > 0) {
    throw refuseEntry('directory-with-data', name, 'is a folder, and yet holds data');
  }
}

function checkEncoding(raw: Entry, name: string): void {
  if ((raw.generalPurposeBitFlag & ENCRYPTION_FLAGS) !== 0) throw refuseEntry('encrypted', name, 'is encrypted');
  if (raw.compressionMethod !== STORED && raw.compressionMethod !== DEFLATED) {
    throw refuseEntry('unsupported-method', name, `is packed with method ${raw.compressionMethod}, which is not known`);
  }
  const numbers = [raw.uncompressedSize, raw.compressedSize, raw.relativeOffsetOfLocalHeader];
  if (!numbers.every(Number.isSafeInteger)) throw refuseEntry('wrong-size', name, 'has an impossible size');
  if (raw.compressionMethod === STORED && raw.compressedSize !== raw.uncompressedSize) {
    throw refuseEntry('wrong-size', name, 'is stored as it is, and yet has two sizes');
  }
}

/**
 * An entry's time: the extended timestamp (UTC) where there is a sane one, else the DOS stamp. That one has no time
 * zone; the exports' stamps are UTC (they equal the stamp in the archive's name).
 */
function modifiedTime(raw: Entry): number {
  const extended = raw.getLastModDate({ timezone: 'UTC' }).getTime();
  return isSaneTime(extended)
    ? saneTime(extended)
    : saneTime(raw.getLastModDate({ timezone: 'UTC', forceDosFormat: true }).getTime());
}

/** Entries that share data make a small archive unpack to any size ("A better zip bomb", D. Fifield, 2019). */
function assertNoOverlap(extents: Extent[], directoryStart: number): void {
  extents.sort((a, b) => a.start - b.start);
  for (const [index, extent] of extents.entries()) {
    const limit = extents[index + 1]?.start ?? directoryStart;
    if (extent.end > limit)
      throw refuseEntry('overlap', extent.name, 'shares its data with another part of the archive');
  }
}

function assertRatio(entries: readonly ZipEntry[], unpackedBytes: number, { maxRatio }: ArchiveBudgets): void {
  const packedBytes = entries.reduce((sum, entry) => sum + entry.packedBytes, 0);
  if (unpackedBytes > packedBytes * maxRatio) {
    throw new ArchiveRefusal(
      'ratio',
      `The archive would unpack from ${formatBytes(packedBytes)} to ${formatBytes(unpackedBytes)}, more than ${maxRatio} times its size (archive.max_ratio).`,
    );
  }
}

function tooLarge({ maxUnpackedBytes }: ArchiveBudgets): ArchiveRefusal {
  return new ArchiveRefusal(
    'too-large',
    `The archive would unpack to more than ${formatBytes(maxUnpackedBytes)} (archive.max_unpacked_gb).`,
  );
}
