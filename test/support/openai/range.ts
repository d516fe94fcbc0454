/** What a Range header asks of a representation; positions count from 0, `last` is included. */
export type RequestedRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

const SINGLE_BYTE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * Reads a Range header (RFC 9110 section 14.1.2 and 14.2) against a representation of `bytes` bytes. One range is
 * honoured; what is malformed, of another unit or a list of several ranges is ignored, as the RFC allows.
 */
export function requestedRange(header: string | undefined, bytes: number): RequestedRange {
  const [, from = '', to = ''] = header?.match(SINGLE_BYTE_RANGE) ?? [];
  if (from === '' && to === '') return { kind: 'whole' };
  if (from === '') return suffix(Number(to), bytes);
  const first = Number(from);
  const last = to === '' ? Number.POSITIVE_INFINITY : Number(to);
  if (last < first) return { kind: 'whole' };
  if (first >= bytes) return { kind: 'unsatisfiable' };
  return { kind: 'part', first, last: Math.min(last, bytes - 1) };
}

function suffix(wanted: number, bytes: number): RequestedRange {
  if (wanted === 0 || bytes === 0) return { kind: 'unsatisfiable' };
  return { kind: 'part', first: Math.max(0, bytes - wanted), last: bytes - 1 };
}
