import { deflateRawSync } from 'node:zlib';
import type { ArchiveRefusalReason } from '../../src/archive/index.ts';
import { extraField, type RawEntry, rawZip, zip64Field } from '../support/raw-zip.ts';

export const good: RawEntry = { name: 'good.json', content: '{}' };
const named = (name: string | Buffer): RawEntry[] => [good, { name, content: 'x' }];
const entry = (raw: Partial<RawEntry>): RawEntry[] => [good, { name: 'a', content: 'hello', ...raw }];
const deflated = deflateRawSync(Buffer.from('hello'));

/** Each is refused by its directory and headers alone. */
export const UNSAFE_ZIPS: readonly (readonly [
  reason: ArchiveRefusalReason,
  what: string,
  archive: Buffer,
  name?: string,
])[] = [
  ['parent-segment', 'a name that leads out', rawZip(named('../../etc/cron.d/x')), '../../etc/cron.d/x'],
  ['absolute-path', 'an absolute name', rawZip(named('/etc/passwd')), '/etc/passwd'],
  ['absolute-path', 'a drive', rawZip(named('C:\\x')), 'C:\\\\x'],
  ['absolute-path', 'a UNC path', rawZip(named('\\\\server\\x')), '\\\\\\\\server\\\\x'],
  ['backslash', 'a backslash', rawZip(named('a\\..\\..\\x')), 'a\\\\..\\\\..\\\\x'],
  ['dot-segment', 'a dot segment', rawZip(named('a/./x')), 'a/./x'],
  ['empty-segment', 'an empty segment', rawZip(named('a//x')), 'a//x'],
  ['empty-segment', 'an empty name', rawZip(named('')), ''],
  ['control-character', 'a NUL', rawZip(named('a\0.txt')), 'a\\u{0}.txt'],
  ['invalid-utf8', 'a name that says UTF-8 and is not', rawZip([good, { name: Buffer.from([0xff]), flags: 0x0800 }])],
  ['segment-too-long', 'a long segment', rawZip(named('x'.repeat(256)))],
  ['path-too-long', 'a long path', rawZip(named(`${'ab/'.repeat(1400)}x`))],
  ['trailing-dot-or-space', 'a trailing dot', rawZip(named('a./x')), 'a./x'],
  ['device-name', 'a device name', rawZip(named('nul.json')), 'nul.json'],
  ['colon', 'a colon', rawZip(named('ab:c')), 'ab:c'],
  ['bidi-control', 'a right-to-left override', rawZip(named('\u202efdp.exe')), '\\u{202e}fdp.exe'],
  ['reserved-name', 'a name of our own', rawZip(named('.Chatkeep/snapshot.json')), '.Chatkeep/snapshot.json'],
  ['duplicate-name', 'the same name twice', rawZip([good, good]), 'good.json'],
  ['case-collision', 'names that differ in case', rawZip(named('GOOD.json')), 'GOOD.json'],
  ['unicode-collision', 'two Unicode forms', rawZip([{ name: 'e\u0301' }, { name: '\u00e9' }]), '\u00e9'],
  ['file-against-directory', 'a file that is also a folder', rawZip(named('good.json/x')), 'good.json/x'],
  ['symbolic-link', 'a symbolic link', rawZip(entry({ mode: 0o120777, content: '/etc/passwd' })), 'a'],
  ['special-file', 'a character device', rawZip(entry({ mode: 0o020600 })), 'a'],
  ['special-file', 'a block device', rawZip(entry({ mode: 0o060600 })), 'a'],
  ['special-file', 'a socket', rawZip(entry({ mode: 0o140600 })), 'a'],
  ['special-file', 'a folder without the slash', rawZip(entry({ mode: 0o040700 })), 'a'],
  ['directory-with-data', 'a folder with data', rawZip([good, { name: 'a/', content: 'x' }]), 'a/'],
  ['encrypted', 'an encrypted entry', rawZip(entry({ flags: 0x0801 })), 'a'],
  ['encrypted', 'strong encryption', rawZip(entry({ flags: 0x0841 }))],
  ['unsupported-method', 'an unknown method', rawZip(entry({ method: 14 })), 'a'],
  ['wrong-size', 'a stored entry of two sizes', rawZip(entry({ method: 0, bytes: 50 })), 'a'],
  ['wrong-size', 'an impossible ZIP64 size', rawZip(entry({ bytes: 0xffffffff, extra: zip64Field(2 ** 60) })), 'a'],
  ['overlap', 'two entries that share data', quotedOverlap(), 'a'],
  ['overlap', 'data that runs into the directory', rawZip(entry({ packedBytes: deflated.length + 40 })), 'a'],
  ['local-header-mismatch', 'another name in the local header', rawZip(entry({ local: { name: 'b' } })), 'a'],
  ['local-header-mismatch', 'another method', rawZip(entry({ local: { method: 0 } })), 'a'],
  ['local-header-mismatch', 'another size', rawZip(entry({ local: { bytes: 1 } })), 'a'],
  ['local-header-mismatch', 'another checksum', rawZip(entry({ local: { crc32: 1 } })), 'a'],
  ['local-header-mismatch', 'encryption only there', rawZip(entry({ local: { flags: 0x0801 } })), 'a'],
  ['local-header-mismatch', 'no local header at its place', rawZip(entry({ offset: 3 })), 'a'],
  ['local-header-mismatch', 'an offset outside', rawZip(entry({ offset: 0xfffffff0 })), 'a'],
  ['malformed', 'more entries than it says', rawZip([good, { name: 'b' }], { entryCount: 1 })],
  ['malformed', 'fewer entries than it says', rawZip([good], { entryCount: 2 })],
  ['malformed', 'bytes after its end', rawZip([good], { after: Buffer.from('more') })],
  ['malformed', 'an extra field that is cut off', rawZip([{ ...good, extra: Buffer.from([1, 0, 99, 0]) }])],
  ['no-files', 'no entry', rawZip([])],
  ['no-files', 'folders only', rawZip([{ name: 'a/', method: 0 }])],
  ['parent-segment', 'a name that is only dots', rawZip(named('..')), '..'],
  ['parent-segment', 'a name that leads out at its end', rawZip(named('a/..')), 'a/..'],
  ['dot-segment', 'a name that is the folder itself', rawZip(named('.')), '.'],
  ['absolute-path', 'a drive without a slash', rawZip(named('C:x')), 'C:x'],
  ['empty-segment', 'the root', rawZip(named('/'))],
  ['absolute-path', 'a long Windows path', rawZip(named('\\\\?\\C:\\x'))],
  ['device-name', 'CON', rawZip(named('a/CON')), 'a/CON'],
  ['device-name', 'a serial port', rawZip(named('Com1.tar.gz')), 'Com1.tar.gz'],
  ['device-name', 'a printer in superscript', rawZip(named('lpt\u00b2')), 'lpt\u00b2'],
  ['trailing-dot-or-space', 'a trailing space', rawZip(named('a /x')), 'a /x'],
  ['control-character', 'a line break', rawZip(named('a\nb'))],
  ['control-character', 'DEL', rawZip(named('a\u007f'))],
  ['control-character', 'a C1 control', rawZip(named('a\u009b'))],
  ['bidi-control', 'an isolate', rawZip(named('\u2067a'))],
  ['reserved-name', 'our folder as a file', rawZip(named('.chatkeep')), '.chatkeep'],
  ['reserved-name', 'our folder with an invisible letter', rawZip(named('.chat\u200bkeep/x'))],
  ['colon', 'an alternate data stream', rawZip(named('a.json:$DATA')), 'a.json:$DATA'],
  ['case-collision', 'sharp s against SS', rawZip([{ name: 'stra\u00dfe' }, { name: 'STRASSE' }]), 'STRASSE'],
  ['case-collision', 'folders that differ in case', rawZip([{ name: 'a/x' }, { name: 'A/y' }]), 'A/y'],
  ['file-against-directory', 'a folder that is also a file', rawZip([{ name: 'a/x' }, { name: 'a' }]), 'a'],
  ['unsupported-method', 'Deflate64', rawZip(entry({ method: 9 })), 'a'],
  ['unsupported-method', 'bzip2', rawZip(entry({ method: 12 })), 'a'],
  ['unsupported-method', 'Zstandard', rawZip(entry({ method: 93 })), 'a'],
  ['symbolic-link', 'a link to a folder', rawZip(entry({ name: 'a/', mode: 0o120777, content: '' })), 'a/'],
  ['local-header-mismatch', 'entries that share one local header', sharedKernel(), 'file-1'],
  ['malformed', 'a comment that is shorter than it says', shortComment()],
  ['no-files', 'a second end of the directory behind the first', rawZip([good], { after: rawZip([]) })],
  ['no-files', 'a comment that is another end of the directory', rawZip([good], { comment: rawZip([]) })],
  ['malformed', 'two whole ZIPs, one behind the other', Buffer.concat([rawZip([good]), rawZip([{ name: 'b' }])])],
  ['malformed', 'a ZIP64 locator that leads to nothing', zip64End({ at: 0 })],
  ['malformed', 'a ZIP64 locator that leads out of the file', zip64End({ at: 2 ** 40 })],
  ['too-many-entries', 'a ZIP64 end that speaks of 2^40 entries', zip64End({ entries: 2 ** 40 })],
  ['malformed', 'a ZIP64 end whose directory lies elsewhere', zip64End({ directory: 2 ** 40 })],
  [
    'malformed',
    'a ZIP64 field that is cut off',
    rawZip(entry({ bytes: 0xffffffff, extra: extraField(1, Buffer.alloc(3)) })),
  ],
];

/** As the densest bombs are: many directory entries for one file ("A better zip bomb", D. Fifield, 2019). */
function sharedKernel(): Buffer {
  const kernel = Buffer.alloc(100_000);
  return rawZip(
    Array.from({ length: 250 }, (_, n) => ({ name: `file-${n}`, content: kernel, ...(n === 0 ? {} : { offset: 0 }) })),
  );
}

/** A ZIP with a ZIP64 end record and its locator (APPNOTE 4.3.14, 4.3.15), with the lies that are told. */
function zip64End(lies: { at?: number; entries?: number; directory?: number }): Buffer {
  const zip = rawZip([good]);
  const endAt = zip.length - 22;
  const directory = zip.readUInt32LE(endAt + 16);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(lies.entries ?? 1), at);
  record.writeBigUInt64LE(BigInt(endAt - directory), 40);
  record.writeBigUInt64LE(BigInt(lies.directory ?? directory), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(lies.at ?? endAt), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.from(zip.subarray(endAt));
  end.fill(0xff, 8, 20);
  return Buffer.concat([zip.subarray(0, endAt), record, locator, end]);
}

function shortComment(): Buffer {
  const zip = rawZip([good]);
  zip.writeUInt16LE(500, zip.length - 2);
  return zip;
}

/** Fifield's quoting: the second local header lies inside the first entry's (stored) data. */
function quotedOverlap(): Buffer {
  const inner = rawZip([{ name: 'b', content: 'kernel' }]);
  const local = inner.subarray(0, inner.indexOf(Buffer.from('PK\x01\x02')));
  const outerHeader = 30 + 'a'.length;
  return rawZip([
    { name: 'a', content: local, method: 0 },
    { name: 'b', content: 'kernel', offset: outerHeader },
  ]);
}
