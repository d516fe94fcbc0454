import type { Transport } from './transport.ts';

/**
 * Where an address redirects to (RFC 9110 section 15.4): one request, with no login and no cookie. Nobody goes there, and
 * nothing of the answer's body is read.
 *
 * @returns the answer's `Location` as it stands there; undefined if the address leads nowhere else
 * @throws Error if the server cannot be reached, or says that it cannot answer just now (5xx, 408, 429)
 */
export async function redirectOf(transport: Transport, address: URL, signal: AbortSignal): Promise<string | undefined> {
  const { status, headers, discard } = await transport.send({ address, headers: {}, signal });
  discard();
  if (status >= 500 || status === 408 || status === 429) throw new Error(`it answers with status ${status}`);
  return status >= 300 && status < 400 ? headers.location : undefined;
}
