import * as z from 'zod';
import { SECOND_MS } from '../../lib/clock.ts';
import { jsonOf } from '../../lib/json.ts';
import { textWithin } from '../../lib/limited-text.ts';
import { Secret } from '../../lib/secret.ts';
import { TimeoutError, withTimeout } from '../../lib/signals.ts';
import { pageOf, redirects } from '../response.ts';
import { networkTrouble, type Transport } from '../transport.ts';
import { tokenText } from './access-token.ts';
import type { LoginHeaders } from './login.ts';

/** What a question needs besides its address. */
export interface Asking {
  readonly transport: Transport;
  readonly headers: LoginHeaders;
  readonly signal: AbortSignal;
  /** How long the server may take for the whole answer; else half a minute. */
  readonly timeoutMs?: number;
}

/** What the server says of a session. Every `detail` is a sentence for people, without secrets. */
export type SessionAnswer =
  | {
      readonly kind: 'signed-in';
      readonly accessToken: Secret;
      readonly account: string | undefined;
      /** ms UTC */
      readonly until: number | undefined;
    }
  | { readonly kind: 'signed-out'; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string }
  /** It could not be asked: the network, which is another matter in a minute. */
  | { readonly kind: 'unreached'; readonly detail: string };

/** What the server says of a bearer token. */
export type BearerAnswer =
  | { readonly kind: 'accepted'; readonly account: string | undefined }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string };

/** Where a session is asked for (shared facts: "The link"). */
export const SESSION_PATH = '/api/auth/session';
const TIMEOUT_MS = 30 * SECOND_MS;
/** A session with its tokens has a few kilobytes. */
const MOST_BYTES = 256 * 1024;

const account = z.email().max(254).optional().catch(undefined);

const session = z.object({
  accessToken: tokenText,
  user: z.object({ email: account }).optional().catch(undefined),
  expires: z.iso.datetime({ offset: true }).optional().catch(undefined),
  /** The session could not be renewed on the server's side; what it holds is stale. */
  error: z.unknown().optional(),
});

/**
 * Asks whose session the cookies are, and for its access token (shared facts: "The link").
 * @throws the signal's reason
 */
export async function askSession(origin: URL, asking: Asking): Promise<SessionAnswer> {
  const reply = await ask(new URL(SESSION_PATH, origin), asking);
  if (reply.kind === 'unreached') return reply;
  if (reply.kind === 'nothing') return { kind: 'unknown', detail: reply.detail };
  if (reply.status !== 200) return { kind: 'unknown', detail: `${origin.host} answered ${reply.status}.` };
  const found = session.safeParse(reply.body).data;
  if (found !== undefined && found.error === undefined) {
    const { accessToken, user, expires } = found;
    return {
      kind: 'signed-in',
      accessToken: new Secret(accessToken),
      account: user?.email,
      until: expires === undefined ? undefined : Date.parse(expires),
    };
  }
  const isStale = found !== undefined;
  return isStale || (isObject(reply.body) && !('user' in reply.body))
    ? { kind: 'signed-out', detail: `${origin.host} answers as it does to somebody who is signed out.` }
    : { kind: 'unknown', detail: `${origin.host} gave an answer that is not understood.` };
}

/** OpenAI's errors are objects, too; whoever is told who they are has an id. */
const me = z.object({ id: z.string().min(1), email: account });

/**
 * Asks whose access token it is. That this endpoint answers so is likely, not proven: only its plain words count, a
 * 401 and a person; anything else tells nothing of the token.
 *
 * @throws the signal's reason
 */
export async function askBearer(origin: URL, asking: Asking): Promise<BearerAnswer> {
  const reply = await ask(new URL('/backend-api/me', origin), asking);
  if (reply.kind !== 'json') return { kind: 'unknown', detail: reply.detail };
  if (reply.status === 401) {
    return { kind: 'refused', detail: `${origin.host} does not accept it (401): it has expired or was revoked.` };
  }
  const found = reply.status === 200 ? me.safeParse(reply.body).data : undefined;
  return found === undefined
    ? { kind: 'unknown', detail: `${origin.host} answered ${reply.status}, which tells nothing of the login.` }
    : { kind: 'accepted', account: found.email };
}

type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  /** The answer is none for programs. */
  | { readonly kind: 'nothing'; readonly detail: string }
  /** There is none. */
  | { readonly kind: 'unreached'; readonly detail: string };

/** One small request that changes nothing. Redirects are not followed, and what is said of the answer is in our words. */
async function ask(address: URL, { transport, headers, signal, timeoutMs = TIMEOUT_MS }: Asking): Promise<Reply> {
  const { host } = address;
  try {
    return await withTimeout('The answer', timeoutMs, signal, async (limited) => {
      const request = { address, headers: { accept: 'application/json', ...headers }, signal: limited };
      const response = await transport.send(request);
      try {
        const page = pageOf(response);
        if (page === 'challenge') return nothing(`${host} asked for a browser check (a challenge page came).`);
        if (page === 'html') return nothing(`${host} sent a web page instead of an answer (${response.status}).`);
        if (redirects(response.status)) return nothing(`${host} answered with a redirect, which was not followed.`);
        const body = jsonOf(await textWithin(response.body, MOST_BYTES));
        return body === undefined
          ? nothing(`${host} answered ${response.status}, and not in a form that is understood.`)
          : { kind: 'json', status: response.status, body };
      } finally {
        response.discard();
      }
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RangeError) return nothing(`${host} sent far more than an answer.`);
    const isLate = error instanceof TimeoutError;
    const detail = isLate ? `${host} did not answer within ${timeoutMs / SECOND_MS} s.` : networkTrouble(error, host);
    return { kind: 'unreached', detail };
  }
}

function nothing(detail: string): Reply {
  return { kind: 'nothing', detail };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
