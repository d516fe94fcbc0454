import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
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
/**
 * The well-known prefix (RFC 6052). In the one for local use, 64:ff9b:1::/48 (RFC 8215), each network chooses where the
 * IPv4 address stands: what cannot be judged is not public.
 */
const IPV4_BY_NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
/** What an ISATAP interface identifier begins with, universal or local, before its IPv4 address (RFC 5214 section 6.1). */
const ISATAP = [Buffer.of(0, 0, 0x5e, 0xfe), Buffer.of(2, 0, 0x5e, 0xfe)];

/**
 * Whether an IP address, as the system writes it, is on the public internet. IPv4 inside IPv6 (mapped, 6to4, NAT64,
 * ISATAP) is judged by the inner address (RFC 4291, RFC 3056, RFC 6052, RFC 5214); Teredo and IPv4-compatible addresses
 * are no way to an export.
 */
export function isPublicAddress(address: string): boolean {
  const parsed = parsedAddress(address);
  if (parsed === undefined) return false;
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === 'unicast';
  const inner = embeddedIpv4(parsed);
  if (inner !== undefined && inner.range() !== 'unicast') return false;
  if (parsed.match(IPV4_BY_6TO4) || parsed.match(IPV4_BY_NAT64)) return true;
  return parsed.range() === 'unicast' && parsed.match(GLOBAL_UNICAST);
}

/** The address, IPv4 in place of IPv4-mapped IPv6; undefined if it is none, or not as the system writes one. */
function parsedAddress(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // ipaddr.js reads 127.1 and 0x7f.0.0.1, too, which programs disagree about.
  if (isIP(address) === 4) return ipaddr.IPv4.parse(address);
  if (isIP(address) !== 6) return undefined;
  // And it takes ::8.8.8.8 for ::ffff:8.8.8.8: the hexadecimal form leaves it no choice.
  const { hostname } = new URL(`https://[${address.replace(/%.*$/, '')}]`);
  const parsed = ipaddr.IPv6.parse(hostname.slice(1, -1));
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
}

function embeddedIpv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  if (address.match(IPV4_BY_6TO4)) return new ipaddr.IPv4(bytes.slice(2, 6));
  const isIsatap = ISATAP.some((mark) => mark.equals(Buffer.from(bytes.slice(8, 12))));
  return isIsatap || address.match(IPV4_BY_NAT64) ? new ipaddr.IPv4(bytes.slice(12, 16)) : undefined;
}

/** The refusal to connect anywhere but to a public address; its code is `ENOTPUBLIC`. */
export function notPublic(message: string): Error {
  return Object.assign(new Error(message), { code: 'ENOTPUBLIC' });
}

/** Resolves a name to all of its addresses, as `dns.lookup` does. */
export type ResolveName = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Name resolution that gives public addresses only: what a name resolves to is checked and connected to in one step, so
 * that it cannot change in between.
 *
 * @param resolveName whose word is checked: the system's unless given
 */
export function publicLookup(resolveName: ResolveName = dnsLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = allowed;
      if (first === undefined) return callback(notPublic(`${hostname} resolves to no public address`), '', 0);
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}
