import type { Context } from 'hono';
import ipaddr from 'ipaddr.js';
import type { WebEnv } from '../env.ts';

/** Where a request comes from, as far as it can be believed. */
export interface Visitor {
  /** An IP address; `unknown` where there is none. */
  readonly address: string;
  /** The browser speaks https, with us or with the reverse proxy in front. */
  readonly isSecure: boolean;
  /** Who has signed in at the reverse proxy. */
  readonly user: string | undefined;
}

export interface VisitorOptions {
  readonly proxies: readonly string[];
  readonly trustedHeader?: string | undefined;
  readonly url?: string | undefined;
}

/** Long enough for any name; the rest would only fill logs. */
const LONGEST_USER = 200;

/**
 * Gives where each request comes from. What X-Forwarded-For, X-Forwarded-Proto and the trusted header say is believed
 * only of a connection from one of the proxies, since anybody can send them.
 */
export function visitorReader({ proxies, trustedHeader, url }: VisitorOptions): (context: Context<WebEnv>) => Visitor {
  const isProxy = matcherOf(proxies);
  const publicHost = url?.startsWith('https:') === true ? new URL(url).host : undefined;
  return (context) => {
    const peer = plainAddress(context.env?.incoming?.socket.remoteAddress);
    const isPublic = publicHost !== undefined && context.req.header('host')?.toLowerCase() === publicHost;
    if (peer === undefined || !isProxy(peer)) {
      return { address: peer ?? 'unknown', isSecure: isPublic, user: undefined };
    }
    const protocol = context.req.header('x-forwarded-proto')?.split(',').at(-1)?.trim().toLowerCase();
    const user = trustedHeader === undefined ? undefined : context.req.header(trustedHeader)?.trim();
    return {
      address: originOf(context.req.header('x-forwarded-for'), isProxy) ?? peer,
      isSecure: protocol === 'https' || (protocol === undefined && isPublic),
      user: user === undefined || user === '' ? undefined : user.slice(0, LONGEST_USER),
    };
  };
}

/** The last address of the list that is not a proxy's: what stands before it, the visitor may have written. */
function originOf(forwardedFor: string | undefined, isProxy: (address: string) => boolean): string | undefined {
  const hops = (forwardedFor ?? '').split(',').map((hop) => plainAddress(hop.trim()));
  return hops.findLast((hop) => hop === undefined || !isProxy(hop));
}

function matcherOf(ranges: readonly string[]): (address: string) => boolean {
  const networks = ranges.map((range) => {
    const [network, bits] = range.includes('/') ? ipaddr.parseCIDR(range) : [ipaddr.process(range), undefined];
    return { network, bits: bits ?? network.toByteArray().length * 8 };
  });
  return (address) => {
    const parsed = ipaddr.process(address);
    return networks.some(({ network, bits }) => network.kind() === parsed.kind() && parsed.match(network, bits));
  };
}

/** IPv4 as such, also where it comes inside IPv6; without port, brackets and zone. */
function plainAddress(text: string | undefined): string | undefined {
  const bare = text
    ?.replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '');
  return bare !== undefined && ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : undefined;
}
