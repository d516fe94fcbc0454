import { crc32 } from 'node:zlib';
import { type ExtraField, getFileNameLowLevel } from 'yauzl';
import type { NameProblem } from './name-problem.ts';

/** The longest file name of the common file systems, and Linux's longest path (PATH_MAX), in bytes of UTF-8. */
const LONGEST_SEGMENT_BYTES = 255;
const LONGEST_PATH_BYTES = 4096;

/** The directory in which a snapshot holds what is ours (docs/backup-directory.md). */
const OWN_DIRECTORY = '.chatkeep';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;
/** Embeddings, overrides and isolates (Unicode Standard Annex #9, 2.1-2.5). The marks U+200E and U+200F are harmless. */
const BIDI_CONTROL = /[\u202a-\u202e\u2066-\u2069]/;
/** https://learn.microsoft.com/windows/win32/fileio/naming-a-file: reserved with any extension, superscripts included. */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.|$)/i;

/**
 * What is wrong with an entry's name as a relative POSIX path, if anything. A name without a problem stays inside the
 * directory it is joined to, and can be written as it is on Linux, macOS, Windows and NAS shares.
 *
 * @param path the decoded name, without the final `/` of a directory
 */
export function nameProblem(path: string): NameProblem | undefined {
  if (!path.isWellFormed()) return 'invalid-utf8';
  if (/^([/\\]|[A-Za-z]:)/.test(path)) return 'absolute-path';
  if (path.includes('\\')) return 'backslash';
  if (CONTROL_CHARACTER.test(path)) return 'control-character';
  if (BIDI_CONTROL.test(path)) return 'bidi-control';
  if (path.includes(':')) return 'colon';
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) return 'path-too-long';
  const segments = path.split('/');
  for (const segment of segments) {
    const problem = segmentProblem(segment);
    if (problem !== undefined) return problem;
  }
  return isOwnDirectory(segments[0] ?? '') ? 'reserved-name' : undefined;
}

function segmentProblem(segment: string): NameProblem | undefined {
  if (segment === '') return 'empty-segment';
  if (segment === '.') return 'dot-segment';
  if (segment === '..') return 'parent-segment';
  if (Buffer.byteLength(segment) > LONGEST_SEGMENT_BYTES) return 'segment-too-long';
  if (/[. ]$/.test(segment)) return 'trailing-dot-or-space';
  if (WINDOWS_DEVICE.test(segment)) return 'device-name';
  return undefined;
}

/** Some file systems (HFS+) ignore invisible characters when they compare names. */
function isOwnDirectory(segment: string): boolean {
  return folded(segment.replace(/\p{Default_Ignorable_Code_Point}/gu, '')) === OWN_DIRECTORY;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has them
const ASCII = /^[\u0000-\u007f]*$/;

/**
 * The form in which names are the same to a file system that ignores case and Unicode form (APFS, NTFS, SMB). Upper
 * case first, so that letters with two lower-case forms (final sigma, long s) and ß/SS fall together.
 */
function folded(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase();
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** How a name collides with one that was there before. */
export type CollisionProblem = 'duplicate-name' | 'case-collision' | 'unicode-collision' | 'file-against-directory';

interface KnownName {
  readonly path: string;
  readonly kind: 'file' | 'directory';
}

/** The names of one archive: finds those that would be one and the same on some file system. */
export class NameRegistry {
  readonly #known = new Map<string, KnownName>();

  /**
   * Adds a file or a directory, and the directories above it. A directory may come more than once.
   *
   * @param path without a {@link nameProblem}
   * @returns how it collides, and with what; undefined if it does not
   */
  add(path: string, kind: KnownName['kind']): { problem: CollisionProblem; with: string } | undefined {
    let name: KnownName = { path, kind };
    let key = folded(path);
    for (;;) {
      const known = this.#known.get(key);
      if (known !== undefined) {
        const problem = collision(known, name);
        // The directories above a known directory are known.
        return problem === undefined ? undefined : { problem, with: known.path };
      }
      this.#known.set(key, name);
      const end = name.path.lastIndexOf('/');
      if (end === -1) return undefined;
      name = { path: path.slice(0, end), kind: 'directory' };
      key = key.slice(0, key.lastIndexOf('/'));
    }
  }

  /** All directories, those above first. */
  directories(): string[] {
    return [...this.#known.values()]
      .filter(({ kind }) => kind === 'directory')
      .map(({ path }) => path)
      .sort();
  }
}

function collision(known: KnownName, name: KnownName): CollisionProblem | undefined {
  if (known.kind !== name.kind) return 'file-against-directory';
  if (known.path === name.path) return name.kind === 'directory' ? undefined : 'duplicate-name';
  return known.path.normalize('NFC') === name.path.normalize('NFC') ? 'unicode-collision' : 'case-collision';
}

/** General purpose bit 11: name and comment are UTF-8 (APPNOTE 4.4.4). */
const UTF8_FLAG = 0x0800;
/** Info-ZIP Unicode Path Extra Field (APPNOTE 4.6.9). */
const UNICODE_PATH_FIELD = 0x7075;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The name of an entry, from the bytes in its header (APPNOTE 4.4.4, 4.6.9, appendix D): UTF-8 where the entry says so.
 * Where it says nothing, UTF-8 all the same if the bytes are valid UTF-8 (macOS writes such archives), else CP437.
 *
 * @returns undefined where the entry says UTF-8, and the bytes are not
 */
export function decodeName(raw: Buffer, flags: number, extraFields: readonly ExtraField[]): string | undefined {
  const better = unicodePath(raw, extraFields);
  if (better !== undefined) return decodeUtf8(better);
  const name = decodeUtf8(raw);
  if (name !== undefined || (flags & UTF8_FLAG) !== 0) return name;
  return getFileNameLowLevel(0, raw, [], true);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The field counts only if its checksum is that of the name in the header: else a tool has renamed the entry since. */
function unicodePath(raw: Buffer, extraFields: readonly ExtraField[]): Buffer | undefined {
  const field = extraFields.find(({ id, data }) => id === UNICODE_PATH_FIELD && data.length > 5 && data[0] === 1);
  return field !== undefined && field.data.readUInt32LE(1) === crc32(raw) ? field.data.subarray(5) : undefined;
}
