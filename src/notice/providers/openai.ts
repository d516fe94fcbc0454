import { HOUR_MS } from '../../lib/clock.ts';
import type { ExportId } from '../notice.ts';

/** ChatGPT's data export (shared facts: "The export-ready email and its link"). */

export const PROVIDER = 'openai';

/** The domain that every known notice came from, 2023 to 2026. */
export const SENDER_DOMAIN = 'tm.openai.com';

/** Whose DKIM signature proves that sender: its own domain, or the organisation's (relaxed alignment, RFC 9989). */
export const SIGNING_DOMAINS: readonly string[] = [SENDER_DOMAIN, 'openai.com'];

/** A place that links may lead to. */
export interface LinkPlace {
  /** As `URL.origin` gives it. */
  readonly origin: string;
  readonly path: RegExp;
  /** Whether the place asks for a ChatGPT login. */
  readonly login: boolean;
  /** Set by the user beside the provider's own: may be a private address. */
  readonly extra: boolean;
}

interface LinkForm {
  readonly name: 'estuary' | 'azure';
  readonly origin: string;
  readonly path: RegExp;
  readonly login: boolean;
}

const ESTUARY: LinkForm = {
  name: 'estuary',
  origin: 'https://chatgpt.com',
  path: /^\/backend-api\/estuary\/content$/,
  login: true,
};
const AZURE: LinkForm = {
  name: 'azure',
  origin: 'https://proddatamgmtqueue.blob.core.windows.net',
  path: /^\/exportcontainer\/[^/]+\.zip$/,
  login: false,
};
const FORMS = [ESTUARY, AZURE];

/** A link lives this long after the export was made, and after its email was sent. */
const LIFE_MS = 24 * HOUR_MS;

/** Where downloads may go: the provider's own places, and the same paths on the user's extra origins. */
export function downloadPlaces(extraOrigins: readonly string[]): LinkPlace[] {
  const own = FORMS.map(({ origin, path, login }) => ({ origin, path, login, extra: false }));
  const extra = extraOrigins.flatMap((origin) =>
    FORMS.map(({ path, login }) => ({ origin: new URL(origin).origin, path, login, extra: true })),
  );
  return [...own, ...extra];
}

/** `<hex>-YYYY-MM-DD-HH-MM-SS`, with `-<hex>` behind it in the newer form; the number of digits is not relied on. */
const EXPORT_NAME = /^[A-Za-z0-9]{1,128}-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)(?:-[A-Za-z0-9]{1,128})?$/;

/**
 * The export that a ZIP's file name speaks of, and when it was made (ms UTC); undefined for other names. The ` (1)` that
 * browsers add to a second download is passed over.
 */
export function parseExportName(fileName: string): { exportId: ExportId; exportTime: number } | undefined {
  const exportId = fileName.replace(/(?: ?\(\d{1,3}\))?\.zip$/i, '');
  if (exportId === fileName) return undefined;
  const exportTime = stampOf(exportId);
  return exportTime === undefined ? undefined : { exportId, exportTime };
}

function stampOf(exportId: string): number | undefined {
  const digits = EXPORT_NAME.exec(exportId)?.slice(1, 7);
  if (digits === undefined) return undefined;
  const [year, month, day, hour, minute, second] = digits;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = Date.parse(written);
  // February 30 is parsed as March 2.
  return Number.isNaN(time) || new Date(time).toISOString() !== written ? undefined : time;
}

/** What a link in a message is. */
export type LinkReading =
  | {
      readonly kind: 'export';
      readonly exportId: ExportId;
      /** ms UTC. */
      readonly exportTime: number;
      /** ms UTC. */
      readonly deadline: number;
      /** The address in its normal form; a secret. */
      readonly href: string;
    }
  /** It passes itself off as an export's link; `why` is half a sentence, without the link. */
  | { readonly kind: 'suspicious'; readonly why: string }
  /** It leads to the right place, and is cut off or otherwise not formed as an export's link is. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'other' };

/**
 * Reads one link of a message.
 *
 * @param receivedAt when the message was received, ms UTC
 */
export function readLink(link: string, receivedAt: number, extraOrigins: readonly string[]): LinkReading {
  const url = URL.parse(link);
  if (url === null || !/^https?:$/.test(url.protocol)) return { kind: 'other' };
  const form = FORMS.find(({ path }) => path.test(url.pathname));
  const origins = [form?.origin, ...extraOrigins.map((origin) => new URL(origin).origin)];
  const isOurs = form !== undefined && origins.includes(url.origin) && url.username === '' && url.password === '';
  if (!isOurs) return EXPORT_MARKS.test(url.href) ? { kind: 'suspicious', why: whyNotOurs(url) } : { kind: 'other' };
  if (form !== ESTUARY) return readAzure(url) ?? { kind: 'malformed' };
  // ChatGPT serves other files from the same path: pictures in mails about tasks.
  return readEstuary(url, receivedAt) ?? { kind: EXPORT_MARKS.test(url.search) ? 'malformed' : 'other' };
}

function readEstuary(url: URL, receivedAt: number): LinkReading | undefined {
  const [name, signature] = [only(url, 'id'), only(url, 'sig')];
  const named = name === undefined || signature === undefined ? undefined : exactName(name);
  if (named === undefined) return undefined;
  const deadline = Math.min(named.exportTime, receivedAt) + LIFE_MS;
  return { kind: 'export', ...named, deadline, href: withoutFragment(url) };
}

function readAzure(url: URL): LinkReading | undefined {
  const [expires, signature] = [only(url, 'se'), only(url, 'sig')];
  const named = exactName(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  const deadline = Date.parse(expires ?? '');
  if (named === undefined || signature === undefined || Number.isNaN(deadline)) return undefined;
  return { kind: 'export', ...named, deadline, href: withoutFragment(url) };
}

function exactName(name: string): { exportId: ExportId; exportTime: number } | undefined {
  const named = parseExportName(name);
  return named !== undefined && name === `${named.exportId}.zip` ? named : undefined;
}

/** A query field that is there once, and not empty. */
function only(url: URL, name: string): string | undefined {
  const values = url.searchParams.getAll(name);
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
}

function withoutFragment(url: URL): string {
  const copy = new URL(url);
  copy.hash = '';
  return copy.href;
}

/**
 * What an export's link is known by wherever it leads. The ZIP's name needs no percent-encoding, so that it also shows in
 * a link that is wrapped into the address of a redirecting service.
 */
const EXPORT_MARKS =
  /\/backend-api\/estuary\/content|\/exportcontainer\/|-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d(?:-[a-z0-9]{1,128})?\.zip/i;

function whyNotOurs(url: URL): string {
  if (url.protocol !== 'https:') return 'is not encrypted (http)';
  if (url.username !== '' || url.password !== '') return 'has user information in it';
  const hosts = FORMS.map(({ origin }) => new URL(origin).host);
  if (hosts.includes(url.host)) return 'is not formed as an export’s link is';
  return `leads to ${url.host.slice(0, 100)} and not to ${hosts.join(' or ')}`;
}

/** The known subjects, whole but for prefixes (`Fwd:`): mails about tasks carry any words that a person chose. */
const READY_SUBJECT = /chatgpt\s*[-–—:]\s*(?:your data export is ready|你的数据导出已准备就绪)[.!。]?$/i;
const STARTED_SUBJECT = /chatgpt\s*[-–—:]\s*your data export has started[.!]?$/i;

/** Of which notice a subject speaks; undefined for all others, and for languages whose wording nobody has seen. */
export function subjectKind(subject: string): 'ready' | 'started' | undefined {
  if (READY_SUBJECT.test(subject)) return 'ready';
  return STARTED_SUBJECT.test(subject) ? 'started' : undefined;
}
