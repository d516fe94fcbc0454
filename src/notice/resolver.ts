import { Resolver } from 'node:dns/promises';
import { SECOND_MS } from '../lib/clock.ts';
import { ChatkeepError } from '../lib/errors.ts';

/**
 * TXT records of a DNS name: each record as its character strings. Rejects with an error whose `code` is `ENOTFOUND` or
 * `ENODATA` where there are none, and with another code where the DNS could not tell.
 */
export type ResolveTxt = (name: string) => Promise<string[][]>;

const TIMEOUT_MS = 5 * SECOND_MS;
const TRIES = 2;

/**
 * Looks up TXT records at these servers (`address` or `address:port`, IPv6 as `[address]:port`), or at those of the
 * system where the list is empty.
 *
 * @throws ChatkeepError `config` for a server that is no IP address
 */
export function createTxtResolver(dnsServers: readonly string[]): ResolveTxt {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (dnsServers.length > 0) {
    try {
      resolver.setServers(dnsServers);
    } catch (error) {
      throw new ChatkeepError(
        'config',
        `notices.dns_servers: ${dnsServers.join(', ')}: give IP addresses, with a port where it is not 53.`,
        { cause: error },
      );
    }
  }
  return (name) => resolver.resolveTxt(name);
}
