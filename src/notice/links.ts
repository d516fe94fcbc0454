import type { ExportFacts, Provider } from './providers/provider.ts';
import { isOfRedirector, unwrap } from './wrappers.ts';

/** What a link in a message is. */
export type LinkReading =
  | ({
      readonly kind: 'export';
      /** The address in its normal form, unwrapped; a secret. */
      readonly href: string;
    } & ExportFacts)
  /** Only the answer of a service tells where it leads. */
  | { readonly kind: 'hidden'; readonly href: string }
  /** It passes itself off as an export's link; `why` is half a sentence, without the link. */
  | { readonly kind: 'suspicious'; readonly why: string }
  /** It leads to the right place, and is cut off or otherwise not formed as an export's link is. */
  | { readonly kind: 'malformed' }
  /** `url` is where it leads; undefined if it is no web address. */
  | { readonly kind: 'other'; readonly url: URL | undefined };

export type ExportLink = Extract<LinkReading, { kind: 'export' }>;

export interface LinkContext {
  readonly provider: Provider;
  /** When the message was received, ms UTC. */
  readonly receivedAt: number;
  /** `https://host[:port]`: where links may lead beside the provider's own places. */
  readonly extraOrigins: readonly string[];
}

/** Reads one link of a message. Takes bounded time, and asks nobody. */
export function readLink(link: string, context: LinkContext): LinkReading {
  const { provider, receivedAt, extraOrigins } = context;
  const url = unwrap(link, provider.wrappers);
  if (url === undefined) return { kind: 'other', url };
  const form = provider.linkForms.find(({ path }) => path.test(url.pathname));
  const origins = [form?.origin, ...extraOrigins.map((origin) => new URL(origin).origin)];
  const isOurs = form !== undefined && origins.includes(url.origin) && url.username === '' && url.password === '';
  if (isOurs) {
    const facts = form.read(url, receivedAt);
    if (facts === 'other') return { kind: 'other', url };
    return facts === 'malformed' ? { kind: 'malformed' } : { kind: 'export', href: withoutFragment(url), ...facts };
  }
  if (provider.linkMarks.test(url.href)) return { kind: 'suspicious', why: whyNotOurs(url, provider) };
  const isHidden = provider.redirectors.some((redirector) => isOfRedirector(url, redirector));
  return isHidden ? { kind: 'hidden', href: withoutFragment(url) } : { kind: 'other', url };
}

/**
 * Reads a link of which it is not sure how far it goes (a line break may be its end, or stand inside it): a whole
 * export's link if one of the readings gives one, else any export's link, else what it is as far as it certainly goes.
 *
 * @param readings the certain one first; at least one
 */
export function readUncertainLink(readings: readonly string[], context: LinkContext): LinkReading {
  const read = readings.map((reading) => readLink(reading, context));
  const exports = read.filter((reading) => reading.kind === 'export');
  return exports.find(({ whole }) => whole) ?? exports[0] ?? read[0] ?? { kind: 'other', url: undefined };
}

function withoutFragment(url: URL): string {
  const copy = new URL(url);
  copy.hash = '';
  return copy.href;
}

function whyNotOurs(url: URL, { linkForms }: Provider): string {
  if (url.protocol !== 'https:') return 'is not encrypted (http)';
  if (url.username !== '' || url.password !== '') return 'has user information in it';
  const hosts = linkForms.map(({ origin }) => new URL(origin).host);
  if (hosts.includes(url.host)) return 'is not formed as an export’s link is';
  return `leads to ${url.host.slice(0, 100)} and not to ${hosts.join(' or ')}`;
}
