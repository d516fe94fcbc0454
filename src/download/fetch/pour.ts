import { type Clock, SECOND_MS } from '../../lib/clock.ts';
import { ChatkeepError } from '../../lib/errors.ts';
import { networkTrouble } from '../transport.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Attempt, Exchange } from './session.ts';
import { Watchdog } from './watchdog.ts';

/** What taking in a body is subject to. */
export interface PourLimits {
  /** A body that brings no byte for this long is cut. */
  readonly stallMs: number;
  readonly rateLimit: RateLimit | undefined;
  readonly clock: Clock;
}

/** How a body ended: all of it was given out, it broke off with a reason, or the taker has had enough. */
export type Poured =
  | { readonly kind: 'ended' }
  | { readonly kind: 'broke'; readonly detail: string }
  | { readonly kind: 'enough'; readonly attempt: Attempt };

/**
 * Gives out the body of an answer chunk by chunk, none of them empty, under the watchdog and within the rate limit, until
 * `take` gives an ending.
 *
 * @throws the signal's reason when it aborts, and what `take` throws
 */
export async function pour(
  { response, address, cut }: Exchange,
  take: (chunk: Uint8Array) => Promise<Attempt | undefined>,
  { stallMs, rateLimit, clock }: PourLimits,
  signal: AbortSignal,
): Promise<Poured> {
  const watchdog = new Watchdog(stallMs, clock);
  const over = new AbortController();
  const watching = watchdog.watch(() => cut.abort(new Error('stalled')), over.signal);
  try {
    for await (const chunk of response.body) {
      watchdog.heard();
      if (chunk.byteLength > 0) {
        const attempt = await take(chunk);
        await rateLimit?.pass(chunk.byteLength, signal);
        if (attempt !== undefined) return { kind: 'enough', attempt };
      }
      watchdog.listen();
    }
    return { kind: 'ended' };
  } catch (error) {
    if (error instanceof ChatkeepError) throw error;
    signal.throwIfAborted();
    const detail = cut.signal.aborted
      ? `${address.host} sent nothing for ${stallMs / SECOND_MS} s.`
      : networkTrouble(error, address.host);
    return { kind: 'broke', detail };
  } finally {
    over.abort();
    await watching;
  }
}
