import type { BodyIdentity } from '../part/identity.ts';
import type { Piece } from './allotment.ts';

const FIELDS = { accept: 'application/zip, application/octet-stream, */*;q=0.1', 'accept-encoding': 'identity' };

/** The stretch of a body that is asked for by Range; undefined where the whole is. */
export function rangeOf({ start, end }: Piece, { etag, total }: BodyIdentity): Piece | undefined {
  const isWhole = start === 0 && end === (total ?? Number.POSITIVE_INFINITY);
  // Nothing else than a strong entity tag can vouch that a part is of the same body (RFC 9110 section 13.1.5).
  return etag === undefined || isWhole ? undefined : { start, end };
}

/** The header fields of a request for a piece (RFC 9110 sections 14.2 and 13.1.5). */
export function requestHeaders(piece: Piece, identity: BodyIdentity): Readonly<Record<string, string>> {
  const range = rangeOf(piece, identity);
  if (range === undefined || identity.etag === undefined) return FIELDS;
  const last = range.end === (identity.total ?? Number.POSITIVE_INFINITY) ? '' : range.end - 1;
  return { ...FIELDS, range: `bytes=${range.start}-${last}`, 'if-range': identity.etag };
}
