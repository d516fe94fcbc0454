import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A place that links may lead to: an exact origin and a shape of path. */
export interface DownloadPlace {
  /** As `URL.origin` gives it: `https://chatgpt.com`. */
  readonly origin: string;
  readonly path: RegExp;
  /** Whether logins are sent there. */
  readonly login: boolean;
  /** Set by the user beside the provider's own: may be a private address. */
  readonly extra: boolean;
}

/**
 * The place an address belongs to; undefined if no request may go there. Only https, no user information, and origin
 * and path as the provider has them (shared facts: "The link").
 */
export function placeOf(address: URL, places: readonly DownloadPlace[]): DownloadPlace | undefined {
  if (address.protocol !== 'https:' || address.username !== '' || address.password !== '') return undefined;
  return places.find((place) => place.origin === address.origin && place.path.test(address.pathname));
}

/** The only part of IPv6 that is handed out for global unicast (RFC 4291 section 2.4, IANA's address space registry). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
const IPV4_BY_6TO4 = ipaddr.IPv6.parseCIDR('2002::/16');
/** The well-known prefix; other NAT64 prefixes are a network's own (RFC 8215). */
const IPV4_BY_NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * Whether an IP address is on the public internet. IPv4 inside IPv6 (mapped, 6to4, NAT64) is judged by the inner
 * address (RFC 4291, RFC 3056, RFC 6052).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === 'unicast';
  const inner = embeddedIpv4(parsed);
  if (inner !== undefined) return inner.range() === 'unicast';
  return parsed.range() === 'unicast' && parsed.match(GLOBAL_UNICAST);
}

function embeddedIpv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  if (address.match(IPV4_BY_6TO4)) return new ipaddr.IPv4(bytes.slice(2, 6));
  if (address.match(IPV4_BY_NAT64)) return new ipaddr.IPv4(bytes.slice(12, 16));
  return undefined;
}

/** Resolves a name to all of its addresses, as `dns.lookup` does. */
export type ResolveName = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Name resolution that gives public addresses only, for hosts that are not exempt: what a name resolves to is checked
 * and connected to in one step, so that it cannot change in between.
 *
 * @param resolveName whose word is checked: the system's unless given
 */
export function publicLookup(exemptHosts: ReadonlySet<string>, resolveName: ResolveName = dnsLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const allowed = exemptHosts.has(hostname)
        ? addresses
        : addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = allowed;
      if (first === undefined) {
        const refusal = Object.assign(new Error(`${hostname} resolves to no public address`), { code: 'ENOTPUBLIC' });
        return callback(refusal, '', 0);
      }
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}
