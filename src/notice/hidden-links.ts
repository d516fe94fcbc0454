import { SECOND_MS } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { redactText } from '../lib/secret.ts';
import { withTimeout } from '../lib/signals.ts';
import { type ExportLink, type LinkContext, type LinkReading, readLink } from './links.ts';

/**
 * Asks one address where it redirects to, without a login or a cookie, and without going there: one request to a public
 * address. Gives the answer's `Location`, or undefined if it has none; rejects if the server cannot be reached.
 */
export type FollowRedirect = (address: URL, signal: AbortSignal) => Promise<string | undefined>;

/** What was behind the hidden links of a message. */
export type Uncovered =
  | { readonly kind: 'export'; readonly link: ExportLink }
  | { readonly kind: 'suspicious'; readonly why: string }
  /** None leads to an export; `readings` is where they lead. */
  | { readonly kind: 'nothing'; readonly readings: readonly LinkReading[] }
  /** There are some, and no way to ask. */
  | { readonly kind: 'unasked' }
  /** One did not answer; `why` is half a sentence. */
  | { readonly kind: 'unanswered'; readonly why: string };

/** A counted mail has all its links counted: logo, button, help centre, footer. */
export const MOST_HOPS = 8;
const HOP_LIMIT_MS = 5 * SECOND_MS;

/**
 * Asks the services that links are hidden behind, one hop each, until one leads to an export.
 *
 * @param hrefs as {@link readLink} gives them: it has made sure that they go to a service of the provider's
 */
export async function uncover(
  hrefs: readonly string[],
  follow: FollowRedirect | undefined,
  context: LinkContext,
): Promise<Uncovered> {
  if (hrefs.length === 0) return { kind: 'nothing', readings: [] };
  if (follow === undefined) return { kind: 'unasked' };
  const readings: LinkReading[] = [];
  for (const href of hrefs.slice(0, MOST_HOPS)) {
    const address = new URL(href);
    let reading: LinkReading;
    try {
      reading = readLink(await targetOf(address, follow), context);
    } catch (error) {
      return {
        kind: 'unanswered',
        why: `${address.host} did not tell where it leads (${redactText(errorMessage(error))})`,
      };
    }
    if (reading.kind === 'export') return { kind: 'export', link: reading };
    if (reading.kind === 'suspicious') return reading;
    readings.push(reading);
  }
  return { kind: 'nothing', readings };
}

/** Where the address redirects to; the address itself if it does not. */
async function targetOf(address: URL, follow: FollowRedirect): Promise<string> {
  const location = await withTimeout(`Asking ${address.host}`, HOP_LIMIT_MS, undefined, (signal) =>
    follow(address, signal),
  );
  return URL.parse(location ?? '', address.href)?.href ?? address.href;
}
