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
