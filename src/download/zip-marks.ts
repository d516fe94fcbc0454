/** Local file header, or the end-of-directory record of an empty archive (APPNOTE sections 4.3.7 and 4.3.16). */
const BEGINNINGS = ['PK\x03\x04', 'PK\x05\x06'];
const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1');
const END_BYTES = 22;
const COMMENT_LENGTH_OFFSET = 20;
/** The largest end-of-directory record with its comment: all of a file that {@link hasZipEnd} needs to see. */
export const ZIP_END_BYTES = END_BYTES + 65_535;

/** Whether bytes are the beginning of a ZIP. Fewer than four are given the benefit of the doubt. */
export function startsLikeZip(bytes: Uint8Array): boolean {
  const beginning = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  return BEGINNINGS.some((signature) => signature.startsWith(beginning));
}

/** Whether the last bytes of a file end with an end-of-directory record (APPNOTE section 4.3.16). */
export function hasZipEnd(tail: Buffer): boolean {
  for (
    let at = tail.lastIndexOf(END_SIGNATURE);
    at >= 0;
    at = at === 0 ? -1 : tail.lastIndexOf(END_SIGNATURE, at - 1)
  ) {
    if (at + END_BYTES > tail.length) continue;
    if (at + END_BYTES + tail.readUInt16LE(at + COMMENT_LENGTH_OFFSET) === tail.length) return true;
  }
  return false;
}
