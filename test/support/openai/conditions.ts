import type { IncomingHttpHeaders } from 'node:http';

/** What a representation is known by. */
export interface Validators {
  /** A strong entity tag, with its quotes. */
  readonly etag: string;
  /** An HTTP date. */
  readonly lastModified: string;
}

/** How a request's If-Match and If-None-Match turn out, in the order of RFC 9110 section 13.2.2. */
export function precondition(
  headers: IncomingHttpHeaders,
  { etag }: Validators,
): 'proceed' | 'failed' | 'not-modified' {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !listed(ifMatch, etag)) return 'failed';
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && listed(ifNoneMatch.replaceAll('W/"', '"'), etag)) return 'not-modified';
  return 'proceed';
}

/** Whether a Range may be honoured: no If-Range, or one that names this very representation (RFC 9110 section 13.1.5). */
export function ifRangeHolds(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const ifRange = headers['if-range'];
  return ifRange === undefined || ifRange === etag || ifRange === lastModified;
}

/** The comparison is strong: a weak tag (`W/"…"`) is not the quoted tag. */
function listed(list: string, etag: string): boolean {
  return list.split(',').some((item) => item.trim() === '*' || item.trim() === etag);
}
