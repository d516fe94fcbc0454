import { SECOND_MS } from '../lib/clock.ts';
import { errorCode } from '../lib/errors.ts';
import { TimeoutError, withTimeout } from '../lib/signals.ts';
import type { Fetch } from './fetch.ts';
import type { Message } from './message.ts';
import { DeliveryError, type Destination } from './service.ts';

const TIMEOUT_MS = 10 * SECOND_MS;

/** What a service that speaks HTTP makes of a message: a POST of JSON. */
export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The destination that turns each message into one request. */
export function httpDestination(label: string, requestFor: (message: Message) => HttpRequest): Destination {
  return {
    label,
    async send(message, { signal, fetch }) {
      const status = await post(label, requestFor(message), fetch ?? (await undiciFetch()), signal);
      if (status >= 200 && status <= 299) return;
      throw new DeliveryError(`${label} answered with status ${status}${hintFor(status)}`);
    },
  };
}

/** Loaded when the first message is sent: most commands never send one. */
async function undiciFetch(): Promise<Fetch> {
  return (await import('undici')).fetch;
}

/**
 * Posts, and gives the status. Redirects are not followed: the address, with its secrets, is for this host only. The
 * answer's body is not read.
 */
async function post(label: string, request: HttpRequest, fetch: Fetch, parent: AbortSignal): Promise<number> {
  try {
    return await withTimeout(label, TIMEOUT_MS, parent, async (signal) => {
      const { status, body } = await fetch(request.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'Chatkeep', ...request.headers },
        body: JSON.stringify(request.body),
        redirect: 'manual',
        signal,
      });
      await body?.cancel();
      return status;
    });
  } catch (error) {
    parent.throwIfAborted();
    throw new DeliveryError(`${label} ${whyUnreachable(error)}`);
  }
}

/** The library's own message is not passed on: it could hold the address. A code never does. */
function whyUnreachable(error: unknown): string {
  if (error instanceof TimeoutError) return `did not answer within ${TIMEOUT_MS / SECOND_MS} s`;
  const code = errorCode(error instanceof Error ? (error.cause ?? error) : error);
  return `could not be reached${code === undefined ? '' : ` (${code})`}`;
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) return ': it does not accept the user, password or token of the address';
  if (status === 404) return ': check the path of the address';
  if (status >= 300 && status <= 399)
    return ': it redirects, and redirects are not followed; put the final address in the configuration';
  return '';
}

/** The value of an Authorization header for user and password (RFC 7617). */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
