import { SECOND_MS } from '../lib/clock.ts';
import type { Extent } from './part/extents.ts';
import type { BodyIdentity } from './part/identity.ts';
import type { HttpResponse } from './transport.ts';

/** What a response's head says it is, before a byte of its body is read. */
export type ResponseHead =
  /** The body from its first byte; `divisible` if parts of it can be asked for. */
  | { readonly kind: 'whole-body'; readonly identity: BodyIdentity; readonly divisible: boolean }
  /** The very part that was asked for. */
  | { readonly kind: 'rest'; readonly identity: BodyIdentity }
  /** It is not the rest of what we have: begin anew. */
  | { readonly kind: 'start-over'; readonly detail: string }
  /** We have all of it already: this many bytes, by the server's latest word. */
  | { readonly kind: 'nothing-left'; readonly total: number }
  | { readonly kind: 'redirect'; readonly location: string | undefined }
  | { readonly kind: 'login-page'; readonly detail: string }
  | { readonly kind: 'denied'; readonly detail: string }
  | { readonly kind: 'try-later'; readonly detail: string; readonly retryAfterMs: number | undefined };

/** What was asked for, and what we have of the body already. */
export interface Asked {
  readonly received: number;
  readonly identity: BodyIdentity;
  /** The stretch that was asked for, its end infinite where it is not known; undefined if the whole was. */
  readonly range: Extent | undefined;
}

/** Judges status and header fields (RFC 9110 sections 14 and 15); a status alone is never believed. */
export function readHead(response: HttpResponse, asked: Asked, now: number): ResponseHead {
  const { status, headers } = response;
  const page = pageOf(response);
  const html = page === 'html';
  if (page === 'challenge') {
    return { kind: 'login-page', detail: 'The server asked for a browser check (a challenge page came).' };
  }
  if (redirects(status)) return { kind: 'redirect', location: headers.location };
  if (status === 401 || status === 403) {
    const what = html ? 'a page came instead of the export' : 'access was denied';
    return { kind: 'denied', detail: `The server answered ${status}: ${what}.` };
  }
  if (status === 200 || status === 206) {
    if (html) return { kind: 'login-page', detail: 'A web page came instead of the export.' };
    return status === 200 ? wholeBody(headers, identityOf(headers)) : readPartial(headers, asked);
  }
  if (status === 416) {
    const total = totalOfUnsatisfied(headers) ?? asked.identity.total;
    return asked.received > 0 && asked.received === total
      ? { kind: 'nothing-left', total }
      : { kind: 'start-over', detail: 'The server does not have the rest of what was received.' };
  }
  if (status === 412) return { kind: 'start-over', detail: 'The export has changed on the server.' };
  return {
    kind: 'try-later',
    detail: `The server answered ${status}${STATUS_WORDS[status] ?? ''}.`,
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
  };
}

function wholeBody(headers: HttpResponse['headers'], identity: BodyIdentity): ResponseHead {
  const givesParts = /(^|,)\s*bytes\s*(,|$)/i.test(headers['accept-ranges'] ?? '');
  return {
    kind: 'whole-body',
    identity,
    divisible: givesParts && identity.etag !== undefined && identity.total !== undefined,
  };
}

/** The page for people that came, if one did: Cloudflare's challenge, or any other. */
export function pageOf({ headers }: Pick<HttpResponse, 'headers'>): 'challenge' | 'html' | undefined {
  if (headers['cf-mitigated'] === 'challenge') return 'challenge';
  return /^\s*(text\/html|application\/xhtml)/i.test(headers['content-type'] ?? '') ? 'html' : undefined;
}

/** Whether a status sends the client elsewhere (RFC 9110 section 15.4). */
export function redirects(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

/** RFC 9110 section 15.3.7: a 206 must be the very range that was asked for, of the same body. */
function readPartial(headers: HttpResponse['headers'], { range, identity }: Asked): ResponseHead {
  const fields = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers['content-range'] ?? '');
  const [start, last, total] = (fields?.slice(1) ?? []).map(Number);
  if (start !== undefined && last !== undefined && total !== undefined) {
    if (range === undefined) {
      if (start === 0 && last === total - 1) return wholeBody(headers, { ...identityOf(headers), total });
    } else if (
      start === range.start &&
      last === Math.min(range.end, total) - 1 &&
      isSameBody(headers.etag, total, identity)
    ) {
      return { kind: 'rest', identity: { ...identity, total } };
    }
  }
  return { kind: 'start-over', detail: 'The server sent another part than the one that was asked for.' };
}

/** A cache on the way may weaken the entity tag, or leave it out, for If-Range has vouched for it already. */
function isSameBody(etag: string | undefined, total: number, known: BodyIdentity): boolean {
  return (
    known.etag !== undefined &&
    (etag === undefined || etag.replace(/^W\//, '') === known.etag) &&
    (known.total === undefined || known.total === total)
  );
}

/** How long the body is that a range was not within (RFC 9110 section 15.5.17). */
function totalOfUnsatisfied(headers: HttpResponse['headers']): number | undefined {
  const [, total] = /^bytes \*\/(\d{1,15})$/.exec(headers['content-range'] ?? '') ?? [];
  return total === undefined ? undefined : Number(total);
}

function identityOf(headers: HttpResponse['headers']): BodyIdentity {
  const length = headers['content-length'];
  return {
    etag: strongEtag(headers.etag),
    total: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    md5: wellFormedMd5(headers['content-md5']),
  };
}

/** A strong validator as it stands in the field; a weak one cannot vouch for bytes (RFC 9110 section 8.8.1). */
function strongEtag(etag: string | undefined): string | undefined {
  return etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : undefined;
}

/** 128 bits in base64 (RFC 1864); what is not can fit no body, and would have it fetched again for ever. */
function wellFormedMd5(md5: string | undefined): string | undefined {
  return md5 !== undefined && /^[A-Za-z0-9+/]{22}==$/.test(md5) ? md5 : undefined;
}

/** Retry-After as seconds or as an HTTP date (RFC 9110 section 10.2.3), in ms from `now`. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND_MS;
  // Date.parse alone would take "1.5" and "-1" for dates, too.
  const date = /^[A-Z][a-z]+, .+ GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  404: ' (it does not know this link)',
  410: ' (the link is gone)',
  429: ' (too many requests)',
  500: ' (an error of its own)',
  502: ' (it is not available at present)',
  503: ' (it is not available at present)',
  504: ' (it is not available at present)',
};
