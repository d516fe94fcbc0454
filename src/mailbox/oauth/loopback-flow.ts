import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MINUTE_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';
import { words } from '../trouble.ts';
import type { FlowContext } from './device-flow.ts';
import { createPkce, randomText } from './pkce.ts';
import { authorityOf } from './providers.ts';
import { OAuthRefusal, requestTokens, type Tokens } from './token-request.ts';

const LOOPBACK = '127.0.0.1';
/** Codes of Google live for about ten minutes; whoever is asked has as long to answer. */
const ANSWER_LIMIT_MS = 15 * MINUTE_MS;

/** What the user has to do: open the address in a browser, and give consent. */
export interface BrowserPrompt {
  readonly address: string;
  /** Where the browser is sent back to: an address of this machine, which only a browser on it can open. */
  readonly redirect: string;
}

/** How the user hands over the address that a browser on another machine was sent to. */
export interface PasteBack {
  /** Gives the next line that the user pastes; resolves with undefined if there will be none. */
  readonly nextLine: (signal: AbortSignal) => Promise<string | undefined>;
  /** Tells the user why a line could not be used. */
  readonly complain: (sentence: string) => void;
}

/** What a redirect turned out to be. */
type Answer =
  | { readonly kind: 'code'; readonly code: Secret }
  | { readonly kind: 'refused'; readonly error: OAuthRefusal }
  /** It does not belong to this login. */
  | { readonly kind: 'foreign'; readonly why: string };

/**
 * Asks for consent by the authorization code grant with PKCE (RFC 7636), in a browser that comes back to this machine
 * (RFC 8252 section 7.3), or whose last address the user pastes where it runs on another one.
 *
 * @throws OAuthRefusal with the code `access_denied`, `expired_token` or another; MailboxError `unreachable`
 */
export async function consentByBrowser(
  context: FlowContext & { readonly user: string },
  prompt: (prompt: BrowserPrompt) => void,
  paste: PasteBack,
): Promise<Tokens> {
  const { oauth2, user, clock } = context;
  const authority = authorityOf(oauth2);
  const pkce = createPkce();
  const state = randomText();
  const answers = new AnswerBox();
  const server = await listen(state, answers);
  const done = new AbortController();
  try {
    const redirect = `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/`;
    const address = new URL(authority.authorizationEndpoint);
    const parameters = {
      response_type: 'code',
      client_id: oauth2.clientId,
      redirect_uri: redirect,
      scope: authority.scope,
      state,
      code_challenge: pkce.challenge,
      code_challenge_method: 'S256',
      login_hint: user,
      ...authority.authorizationParameters,
    };
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    prompt({ address: address.href, redirect });
    const waiting = AbortSignal.any([context.signal, done.signal]);
    void readPasted(paste, redirect, state, answers, waiting);
    const code = await Promise.race([answers.code, timeUp(clock, waiting)]);
    const grant = {
      grant_type: 'authorization_code',
      code: code.reveal(),
      redirect_uri: redirect,
      code_verifier: pkce.verifier.reveal(),
    };
    return await requestTokens(oauth2, grant, context);
  } finally {
    done.abort();
    server.close();
    server.closeAllConnections();
  }
}

/** Holds the answer, whichever way it comes first. */
class AnswerBox {
  readonly code: Promise<Secret>;
  readonly #resolve: (code: Secret) => void;
  readonly #reject: (error: OAuthRefusal) => void;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<Secret>();
    this.code = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    // Whoever awaits it sees the refusal; it must not count as unhandled until then.
    promise.catch(() => undefined);
  }

  put(answer: Answer): void {
    if (answer.kind === 'code') this.#resolve(answer.code);
    else if (answer.kind === 'refused') this.#reject(answer.error);
  }
}

async function timeUp(clock: FlowContext['clock'], signal: AbortSignal): Promise<never> {
  await clock.sleep(ANSWER_LIMIT_MS, signal);
  throw new OAuthRefusal('expired_token', 'Nobody gave consent in time.');
}

async function listen(state: string, answers: AnswerBox): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = answerOfRequest(request, state);
    respond(response, answer);
    answers.put(answer);
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  return server;
}

function answerOfRequest({ method, url = '' }: IncomingMessage, state: string): Answer {
  const base = `http://${LOOPBACK}`;
  if (method !== 'GET' || !URL.canParse(url, base)) return { kind: 'foreign', why: 'this is no answer to a login' };
  return answerOf(new URL(url, base), state);
}

/** Reads an authorization response (RFC 6749 section 4.1.2); one without the login's own state is anybody's. */
function answerOf({ pathname, searchParams }: URL, state: string): Answer {
  if (pathname !== '/' || !isSame(searchParams.get('state') ?? '', state)) {
    return { kind: 'foreign', why: 'this is not the answer to this login' };
  }
  const error = searchParams.get('error');
  if (error !== null) {
    const description = searchParams.get('error_description') ?? error;
    return { kind: 'refused', error: new OAuthRefusal(error.slice(0, 100), words(description)) };
  }
  const code = searchParams.get('code') ?? '';
  return code === ''
    ? { kind: 'foreign', why: 'there is no code in this answer' }
    : { kind: 'code', code: new Secret(code) };
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const PAGES = {
  code: 'Done. You can close this page and go back to the terminal.',
  refused: 'Consent was not given. You can close this page; the terminal says more.',
  foreign: 'This page does not belong to a login that is going on.',
} as const;

/** The code is in the page's address: nothing else is loaded, nothing is kept, and nobody is told where it came from. */
function respond(response: ServerResponse, { kind }: Answer): void {
  response.writeHead(kind === 'foreign' ? 400 : 200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(`<!doctype html><title>Chatkeep</title><p>${PAGES[kind]}</p>\n`);
}

async function readPasted(
  { nextLine, complain }: PasteBack,
  redirect: string,
  state: string,
  answers: AnswerBox,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const pasted = (await nextLine(signal).catch(() => undefined))?.trim();
    if (pasted === undefined || signal.aborted) return;
    if (pasted === '') continue;
    // Browsers hide the scheme.
    const line = pasted.startsWith(LOOPBACK) ? `http://${pasted}` : pasted;
    const answer: Answer =
      line.startsWith(redirect) && URL.canParse(line)
        ? answerOf(new URL(line), state)
        : { kind: 'foreign', why: `the address begins with ${redirect}, and this does not` };
    if (answer.kind === 'foreign') complain(`That cannot be used: ${answer.why}. Paste the whole address.`);
    answers.put(answer);
  }
}
