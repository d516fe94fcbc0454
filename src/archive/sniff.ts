import type { FileHandle } from 'node:fs/promises';
import { readAt } from './reader.ts';
import { ArchiveRefusal } from './refusal.ts';

/** Enough to tell what a file is from how it begins. */
const HEAD_BYTES = 1024;
/** The end-of-directory record, without the comment of at most 65,535 bytes that may follow it (APPNOTE 4.3.16). */
const END_RECORD_BYTES = 22;
const TAIL_BYTES = END_RECORD_BYTES + 65_535;

const LOCAL_HEADER = Buffer.from('PK\x03\x04', 'latin1');
const END_OF_DIRECTORY = Buffer.from('PK\x05\x06', 'latin1');

/**
 * Tells a ZIP from something else that was saved as one, before it is parsed.
 *
 * @param bytes the file's size
 * @throws ArchiveRefusal `not-a-zip` or `truncated`, in words
 */
export async function assertIsZip(file: FileHandle, bytes: number): Promise<void> {
  if (bytes === 0) throw new ArchiveRefusal('not-a-zip', 'The file is empty, not a ZIP.');
  const tail = await readAt(file, Math.max(0, bytes - TAIL_BYTES), Math.min(bytes, TAIL_BYTES));
  const end = tail.lastIndexOf(END_OF_DIRECTORY);
  if (end !== -1 && end + END_RECORD_BYTES <= tail.length) return;
  const head = await readAt(file, 0, Math.min(bytes, HEAD_BYTES));
  if (head.subarray(0, 4).equals(LOCAL_HEADER)) {
    throw new ArchiveRefusal(
      'truncated',
      'The ZIP is cut off: its end is missing. The download or the copy stopped too early.',
    );
  }
  const [what, because] = describe(head);
  throw new ArchiveRefusal('not-a-zip', `This is ${what}, not a ZIP${because === undefined ? '' : `: ${because}`}.`);
}

/** What a file is, and why it may be there instead of the archive. */
type Description = readonly [what: string, because?: string];

const SIGNATURES: readonly (readonly [latin1: string, what: string])[] = [
  ['\x1f\x8b', 'a gzip file'],
  ['7z\xbc\xaf\x27\x1c', 'a 7-Zip archive'],
  ['Rar!\x1a\x07', 'a RAR archive'],
  ['%PDF-', 'a PDF document'],
  ['BZh', 'a bzip2 file'],
  ['\xfd7zXZ\0', 'an xz file'],
];

function describe(head: Buffer): Description {
  const bytes = head.toString('latin1');
  const signature = SIGNATURES.find(([start]) => bytes.startsWith(start));
  if (signature !== undefined) return [signature[1]];
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (/^(<!doctype html|<html|<head|<body|<!--)/i.test(text)) {
    return ['a web page (HTML)', 'a sign-in or error page was saved in place of the export'];
  }
  if (/^(<\?xml|<Error>)/.test(text)) {
    return ['an XML document', 'the server answered with an error in place of the export'];
  }
  if (/^[{[]/.test(text)) {
    return ['JSON text', "it is a server's error message, or one file of an export on its own"];
  }
  if (head.every((byte) => byte === 0)) {
    return ['a file of zeros', 'room was set aside for a download that was never written'];
  }
  return ['something unknown'];
}
