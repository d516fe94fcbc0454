import * as z from 'zod';

/**
 * Services that wrap a link into an address of their own: click counters, and servers that rewrite what they deliver.
 * Where the target stands in the wrapping address it is taken from there, and nobody is asked.
 */

/** The address that is wrapped into this one; undefined if it is none of the service's, or holds none. */
export type Wrapper = (url: URL) => string | undefined;

/** A service whose addresses do not tell where they lead: only its answer does. */
export interface Redirector {
  readonly host: RegExp;
  readonly path: RegExp;
}

/** Nobody honest wraps deeper; each layer is written by a service that a message passes. */
export const MOST_WRAPS = 3;

/** `google.com/url?q=…`, in mail that Gmail forwarded. */
export const googleUrl: Wrapper = (url) => {
  if (!isAt(url, /^(?:www\.)?google\.com$/, /^\/url$/)) return undefined;
  return onlyValue(url, 'q') ?? onlyValue(url, 'url');
};

/** Outlook Safe Links: `https://REGION.safelinks.protection.outlook.com/?url=…&data=…`. */
export const outlookSafeLinks: Wrapper = (url) => {
  if (!isAt(url, /^[a-z0-9-]+\.safelinks\.protection\.outlook\.com$/, /^\/$/)) return undefined;
  return onlyValue(url, 'url');
};

const mandrillOuter = z.object({ p: z.string() });
const mandrillInner = z.object({ url: z.string() });

/**
 * Mandrill's click counter: `mandrillapp.com/track/click/ACCOUNT/HOST?p=…`, where `p` is base64 (either alphabet) of JSON
 * whose own `p` is JSON in a string, and that one's `url` is the target.
 */
export const mandrillClicks: Wrapper = (url) => {
  if (!isAt(url, /^(?:www\.)?mandrillapp\.com$/, /^\/track\/click\//)) return undefined;
  const outer = mandrillOuter.safeParse(jsonOf(decodedBase64(onlyValue(url, 'p') ?? '')));
  const inner = mandrillInner.safeParse(outer.success ? jsonOf(outer.data.p) : undefined);
  return inner.success ? inner.data.url : undefined;
};

/** SendGrid's click counter: what its `upn` holds is encrypted. */
export const sendGridClicks: Redirector = { host: /^u\d{1,20}\.ct\.sendgrid\.net$/, path: /^\/ls\/click$/ };

/**
 * Where a link leads once its wrappings are taken off, {@link MOST_WRAPS} deep at the most; undefined if it is no web
 * address. What is wrapped deeper, or wraps no web address, stays as it is.
 */
export function unwrap(link: string, wrappers: readonly Wrapper[]): URL | undefined {
  let url = webAddress(link);
  for (let depth = 0; url !== undefined && depth < MOST_WRAPS; depth += 1) {
    const target = targetIn(url, wrappers);
    if (target === undefined) break;
    url = target;
  }
  return url;
}

/** Whether the address is one that this service may be asked about: https, its host, its path, and nothing beside. */
export function isOfRedirector(url: URL, { host, path }: Redirector): boolean {
  return url.protocol === 'https:' && isAt(url, host, path);
}

function targetIn(url: URL, wrappers: readonly Wrapper[]): URL | undefined {
  for (const wrapper of wrappers) {
    const target = webAddress(wrapper(url) ?? '');
    if (target !== undefined) return target;
  }
  return undefined;
}

function webAddress(link: string): URL | undefined {
  const url = URL.parse(link);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}

function isAt(url: URL, host: RegExp, path: RegExp): boolean {
  const isBare = url.username === '' && url.password === '' && url.port === '';
  return isBare && host.test(url.hostname) && path.test(url.pathname);
}

/** A query field that is there once, and not empty. */
export function onlyValue(url: URL, name: string): string | undefined {
  const values = url.searchParams.getAll(name);
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
}

/** A `+` that was not percent-encoded has become a space in the query. */
function decodedBase64(text: string): string {
  return Buffer.from(text.replaceAll(' ', '+'), 'base64').toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
