import ipaddr from 'ipaddr.js';

/**
 * Whether a host as it stands in a setting is this machine itself: `localhost`, 127.0.0.0/8 or ::1 (with or without
 * brackets, or as an IPv4-mapped address). Names are not looked up.
 */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (bare === 'localhost') return true;
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback';
}

/** Names that no public name server answers for (RFC 6761, RFC 6762, RFC 8375, ICANN's reservation of .internal). */
const NEARBY_NAME = /\.(localhost|local|internal|home\.arpa)$/;
const NEARBY_RANGES: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'linkLocal',
  'uniqueLocal',
  // RFC 6598; overlay networks such as Tailscale's number their machines from it.
  'carrierGradeNat',
]);

/**
 * Whether a host as it stands in a setting is of this machine or of a network around it: a private address, the name of
 * a container (a single label), or a name below a local domain. Names are not looked up.
 */
export function isNearby(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (ipaddr.isValid(bare)) return NEARBY_RANGES.has(ipaddr.process(bare).range());
  return !bare.includes('.') || NEARBY_NAME.test(bare);
}
