import type { ExportBody } from './body.ts';

/**
 * What can go wrong with the answer to one request for an export. `afterBytes` counts the body bytes of that answer,
 * not positions in the archive.
 */
export type Fault = FaultKind & {
  /** HEAD is hit as well; otherwise only GET is. */
  readonly alsoHead?: true;
};

type FaultKind =
  /**
   * The answer ends early and in silence: with `content-length` the connection is closed in order (FIN) before the
   * promised length; with `chunked` no length was promised and the end looks whole.
   */
  | { readonly kind: 'stop'; readonly afterBytes: number; readonly framing: 'content-length' | 'chunked' }
  /** The connection is reset (RST). */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** The connection stays open, and nothing more comes. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** Retry-After is a number of seconds, or a Date that is sent as an HTTP date. */
  | { readonly kind: 'status'; readonly status: 429 | 503; readonly retryAfter?: number | Date }
  /** The login page in the place of the archive, as HTML with status 200. */
  | { readonly kind: 'login-page' }
  /** Cloudflare's challenge ("Just a moment…"), as HTML. */
  | { readonly kind: 'challenge'; readonly status: 403 | 503 }
  | { readonly kind: 'redirect'; readonly status: 301 | 302 | 303 | 307 | 308; readonly location: string }
  /** From this request on the export has another entity tag, and another body if one is given. */
  | { readonly kind: 'changed'; readonly body?: ExportBody }
  /** Content-Length promises more than there is; the connection is closed in order after the last byte. */
  | { readonly kind: 'long-content-length'; readonly extraBytes: number }
  /** The right bytes of a 206 under a Content-Range that is shifted by this much, of a whole that is longer by as much. */
  | { readonly kind: 'wrong-content-range'; readonly shiftBytes: number }
  /** The Range is ignored: the whole archive with status 200. */
  | { readonly kind: 'ignores-range' }
  /** The Range is honoured though If-Range names another entity tag. */
  | { readonly kind: 'ignores-if-range' }
  | { readonly kind: 'wrong-content-md5' }
  /** The byte at this position of the archive comes with all its bits flipped, if the answer covers it. */
  | { readonly kind: 'corrupt'; readonly atByte: number };
