/** A stretch of a file, both ends in it. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * What a `Range` header asks for (RFC 9110, section 14): one range of bytes. Undefined for the whole: there is no such
 * header, it is of another kind, or asks for several at once, which a server need not give.
 */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | 'not-there' | undefined {
  const [, from = '', to = ''] = ONE_RANGE.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '')
    return Number(to) === 0 || bytes === 0 ? 'not-there' : { first: Math.max(0, bytes - Number(to)), last: bytes - 1 };
  if (to !== '' && Number(to) < Number(from)) return undefined;
  if (Number(from) >= bytes) return 'not-there';
  return { first: Number(from), last: Math.min(to === '' ? bytes - 1 : Number(to), bytes - 1) };
}
