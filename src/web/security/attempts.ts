import ipaddr from 'ipaddr.js';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { MINUTE_MS, SECOND_MS } from '../../lib/clock.ts';

/** Wrong passwords within {@link WINDOW_MS}; a person who has forgotten theirs makes a handful. */
const OF_ONE_ADDRESS = 5;
/** Of all addresses: a guesser may have many. Whoever is signed in already does not notice. */
const OF_ALL = 60;
const WINDOW_MS = 15 * MINUTE_MS;
/** An owner of an IPv6 network has at least these addresses. */
const IPV6_NETWORK_BITS = 64;

/** Counts attempts to sign in, so that a password cannot be found by trying. */
export class SignInAttempts {
  readonly #ofAddress = new RateLimiterMemory({ points: OF_ONE_ADDRESS, duration: WINDOW_MS / SECOND_MS });
  readonly #ofAll = new RateLimiterMemory({ points: OF_ALL, duration: WINDOW_MS / SECOND_MS });

  /** Counts one, before the password is looked at: many at a time shall not slip through. Gives for how long to wait, ms; 0: it may be made. */
  async take(address: string): Promise<number> {
    const wait = await consume(this.#ofAddress, keyOf(address));
    // One that is refused does not count for the others, or a single address could keep all from signing in.
    return wait > 0 ? wait : consume(this.#ofAll, 'all');
  }

  /** The password was right: what was counted for this address is forgotten, and this attempt altogether. */
  async succeeded(address: string): Promise<void> {
    await this.#ofAddress.delete(keyOf(address));
    await this.#ofAll.reward('all');
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return refusal.msBeforeNext;
    throw refusal;
  }
}

function keyOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_NETWORK_BITS}`).toString();
}
