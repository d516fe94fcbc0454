import { DAY_MS, SECOND_MS } from '../lib/clock.ts';
import { errorCode } from '../lib/errors.ts';
import { TimeoutError, withTimeout } from '../lib/signals.ts';
import type { Fetch } from './fetch.ts';
import type { Message } from './message.ts';
import { DeliveryError, type Destination } from './service.ts';

export const TIMEOUT_MS = 10 * SECOND_MS;

/** What is read of an answer: services that say what is wrong take a few hundred bytes. */
const MOST_ANSWER_BYTES = 16_384;

/** Nobody can make us wait for longer than this. */
const LONGEST_RETRY_AFTER_MS = DAY_MS;

/** What a service that speaks HTTP makes of a message: a POST of JSON, or of a form. */
export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: { readonly json: unknown } | { readonly form: Readonly<Record<string, string>> };
}

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  /** Of a JSON answer; undefined for any other, and for one that is too long. */
  readonly json: unknown;
  /** The beginning of the answer. Never to be shown: it may repeat the address. */
  readonly text: string;
}

/** What a service knows about its own answers. */
export interface AnswerReading {
  /**
   * What is wrong, in our own words and for people, as half a sentence: `does not know the chat of the address`;
   * undefined where the status alone tells. Called for successes, too.
   */
  readonly faultIn?: (answer: HttpAnswer) => string | undefined;
  /** When the service says it in the answer rather than in Retry-After, ms. */
  readonly retryAfterMsIn?: (answer: HttpAnswer) => number | undefined;
  /** After so many attempts with this answer, the message counts as dealt with. */
  readonly mostAttemptsAt?: (status: number) => number | undefined;
}

/** The destination that turns each message into one request. */
export function httpDestination(
  label: string,
  requestFor: (message: Message, key: string) => HttpRequest,
  reading: AnswerReading = {},
): Destination {
  return {
    label,
    async send(message, { signal, key, fetch }) {
      const { answer, retryAfter } = await post(
        label,
        requestFor(message, key),
        fetch ?? (await undiciFetch()),
        signal,
      );
      const { status } = answer;
      const fault = reading.faultIn?.(answer);
      if (status >= 200 && status <= 299 && fault === undefined) return;
      throw new DeliveryError(
        `${label} ${fault === undefined ? `answered with status ${status}${hintFor(status)}` : `${fault} (status ${status})`}`,
        {
          retryAfterMs: reading.retryAfterMsIn?.(answer) ?? retryAfterMs(retryAfter),
          mostAttempts: reading.mostAttemptsAt?.(status),
        },
      );
    },
  };
}

/** Loaded when the first message is sent: most commands never send one. */
async function undiciFetch(): Promise<Fetch> {
  return (await import('undici')).fetch;
}

/** Posts. Redirects are not followed: the address, with its secrets, is for this host only. */
async function post(
  label: string,
  request: HttpRequest,
  fetch: Fetch,
  parent: AbortSignal,
): Promise<{ answer: HttpAnswer; retryAfter: string | null }> {
  const { type, content } = contentOf(request.body);
  try {
    return await withTimeout(label, TIMEOUT_MS, parent, async (signal) => {
      const { status, headers, body } = await fetch(request.url, {
        method: 'POST',
        headers: { 'content-type': type, 'user-agent': 'Chatkeep', ...request.headers },
        body: content,
        redirect: 'manual',
        signal,
      });
      const text = body === null ? '' : await beginningOf(body);
      return { answer: { status, text, json: parsed(text) }, retryAfter: headers.get('retry-after') };
    });
  } catch (error) {
    parent.throwIfAborted();
    throw new DeliveryError(`${label} ${whyUnreachable(error)}`);
  }
}

function contentOf(body: HttpRequest['body']): { type: string; content: string } {
  if ('json' in body) return { type: 'application/json', content: JSON.stringify(body.json) };
  return { type: 'application/x-www-form-urlencoded', content: new URLSearchParams(body.form).toString() };
}

/** What comes after the first bytes is not waited for. Leaving the loop lets go of the connection. */
async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > MOST_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MOST_ANSWER_BYTES);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * SECOND_MS : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS) : undefined;
}

/** The library's own message is not passed on: it could hold the address. A code never does. */
export function whyUnreachable(error: unknown): string {
  if (error instanceof TimeoutError) return `did not answer within ${TIMEOUT_MS / SECOND_MS} s`;
  const code = errorCode(error instanceof Error ? (error.cause ?? error) : error);
  return `could not be reached${code === undefined ? '' : ` (${code})`}`;
}

function hintFor(status: number): string {
  if (status === 400 || status === 422) return ': it does not accept the message; check every part of the address';
  if (status === 401 || status === 403) return ': it does not accept the user, password or token of the address';
  if (status === 404 || status === 410)
    return ': it does not know this address (any more); check every part of it, or make a new one there';
  if (status === 413) return ': the message is too long for it';
  if (status === 429) return ': it takes no more messages for the moment';
  if (status >= 300 && status <= 399)
    return ': it redirects, and redirects are not followed; put the final address in the configuration';
  if (status >= 500) return ': it has trouble of its own';
  return '';
}

/** The value of an Authorization header for user and password (RFC 7617); none where both are empty. */
export function basicAuthorization(user: string, password: string): Record<string, string> {
  if (user === '' && password === '') return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
