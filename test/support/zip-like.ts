/** The end-of-directory record of an archive without entries (APPNOTE section 4.3.16). */
const END = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);

/**
 * Bytes that begin and end as a ZIP does, with something in between that shows a byte in a wrong place; the same every
 * time for one `length` (at least 26) and `seed`.
 */
export function zipLike(length: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + (at >> 16) + seed * 13) & 0xff;
  bytes.write('PK\x03\x04', 'latin1');
  END.copy(bytes, length - END.length);
  return bytes;
}
