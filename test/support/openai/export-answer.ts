import { type Answer, type Delivery, type ExportRequest, emptyAnswer, textAnswer } from './answer.ts';
import { ifRangeHolds, precondition } from './conditions.ts';
import type { Fault } from './faults.ts';
import { CHALLENGE_PAGE, LOGIN_PAGE } from './pages.ts';
import type { PublishedExport } from './published-export.ts';
import { type RequestedRange, requestedRange } from './range.ts';
import type { Storefront } from './storefront.ts';

/** The answer to a GET or HEAD for an export whose link is signed as it should be; `now` in ms UTC. */
export async function answerExport(
  request: ExportRequest,
  published: PublishedExport,
  storefront: Storefront,
  now: number,
): Promise<Answer> {
  const fault = published.takeFault(request.method);
  if (fault?.kind === 'changed') published.change(fault.body);
  return (
    inPlaceOfTheArchive(fault, storefront) ??
    storefront.refusal(request, published, now) ??
    unmetCondition(request, published, storefront) ??
    (await archiveAnswer(request, published, storefront, fault))
  );
}

function inPlaceOfTheArchive(fault: Fault | undefined, storefront: Storefront): Answer | undefined {
  switch (fault?.kind) {
    case 'status':
      return storefront.error(fault.status, retryAfter(fault.retryAfter));
    case 'login-page':
      return textAnswer(200, 'html', LOGIN_PAGE);
    case 'challenge':
      return textAnswer(fault.status, 'html', CHALLENGE_PAGE, { 'cf-mitigated': 'challenge', server: 'cloudflare' });
    case 'redirect':
      return emptyAnswer(fault.status, { location: fault.location, 'content-length': '0' });
    default:
      return undefined;
  }
}

function retryAfter(value: number | Date | undefined): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  return { 'retry-after': typeof value === 'number' ? String(value) : value.toUTCString() };
}

function unmetCondition(
  { headers }: ExportRequest,
  { validators }: PublishedExport,
  storefront: Storefront,
): Answer | undefined {
  switch (precondition(headers, validators)) {
    case 'failed':
      return storefront.error(412, {});
    case 'not-modified':
      return emptyAnswer(304, { etag: validators.etag, 'last-modified': validators.lastModified });
    case 'proceed':
      return undefined;
  }
}

async function archiveAnswer(
  request: ExportRequest,
  published: PublishedExport,
  storefront: Storefront,
  fault: Fault | undefined,
): Promise<Answer> {
  const { body, bytes } = published;
  const { etag, lastModified } = published.validators;
  const range = rangeToServe(request, published, fault);
  if (range.kind === 'unsatisfiable') return storefront.error(416, { 'content-range': `bytes */${bytes}` });
  const { first, last } = range.kind === 'part' ? range : { first: 0, last: bytes - 1 };
  const headers = {
    'content-type': 'application/zip',
    'accept-ranges': 'bytes',
    etag,
    'last-modified': lastModified,
    ...(await storefront.archiveHeaders(published, range)),
    ...(range.kind === 'part' ? { 'content-range': contentRange(first, last, bytes, fault) } : {}),
    ...contentLength(last - first + 1, fault),
    ...(fault?.kind === 'wrong-content-md5' ? { 'content-md5': MD5_OF_NOTHING } : {}),
  };
  return {
    status: range.kind === 'part' ? 206 : 200,
    headers,
    content: { kind: 'archive', body, first, last, delivery: deliveryUnder(fault) },
  };
}

/** Right in form, and the digest of no archive. */
const MD5_OF_NOTHING = '1B2M2Y8AsgTpgAmY7PhCfg==';

/** Range counts for GET alone (RFC 9110 section 14.2). */
function rangeToServe(
  { method, headers }: ExportRequest,
  { validators, bytes }: PublishedExport,
  fault: Fault | undefined,
): RequestedRange {
  if (method !== 'GET' || fault?.kind === 'ignores-range') return { kind: 'whole' };
  if (fault?.kind !== 'ignores-if-range' && !ifRangeHolds(headers, validators)) return { kind: 'whole' };
  return requestedRange(headers.range, bytes);
}

function contentRange(first: number, last: number, bytes: number, fault: Fault | undefined): string {
  const shift = fault?.kind === 'wrong-content-range' ? fault.shiftBytes : 0;
  return `bytes ${first + shift}-${last + shift}/${bytes + shift}`;
}

/** Without a length, Node.js sends the answer in chunks. */
function contentLength(bytes: number, fault: Fault | undefined): Readonly<Record<string, string>> {
  if (fault?.kind === 'stop' && fault.framing === 'chunked') return {};
  return { 'content-length': String(fault?.kind === 'long-content-length' ? bytes + fault.extraBytes : bytes) };
}

function deliveryUnder(fault: Fault | undefined): Delivery {
  const whole: Delivery = { mostBytes: Number.POSITIVE_INFINITY, end: 'finish' };
  switch (fault?.kind) {
    case 'stop':
      return { mostBytes: fault.afterBytes, end: fault.framing === 'chunked' ? 'finish' : 'close' };
    case 'reset':
    case 'stall':
      return { mostBytes: fault.afterBytes, end: fault.kind };
    case 'long-content-length':
      return { ...whole, end: 'close' };
    case 'slow':
      return { ...whole, bytesPerSecond: fault.bytesPerSecond };
    case 'corrupt':
      return { ...whole, corruptAt: fault.atByte };
    default:
      return whole;
  }
}
