import { SECOND_MS } from '../../lib/clock.ts';
import type { Secret } from '../../lib/secret.ts';
import { withTimeout } from '../../lib/signals.ts';
import { readCookies, sessionFingerprint } from './browser/cookies.ts';
import { reachBrowser } from './browser/endpoint.ts';
import { pageTransport } from './browser/page-transport.ts';
import { type Cookie, cookieHeader, cookieIsFor } from './cookies-txt.ts';
import { letIn, notAsked } from './health.ts';
import type { Login, LoginAnswer, LoginContext, LoginHeaders, LoginParts } from './login.ts';
import { askSession, type SessionAnswer } from './questions.ts';

/** What the browser holds at the moment. */
type Holding =
  | { readonly kind: 'held'; readonly cookies: readonly Cookie[]; readonly userAgent: string }
  | { readonly kind: 'unusable'; readonly detail: string };

/** By our own client or in a page of the browser; without or with the access token of the session. */
interface Way {
  readonly through: 'client' | 'page';
  readonly withToken: boolean;
}

/** From the quickest to the one that is hardest to refuse. */
const WAYS: readonly Way[] = [
  { through: 'client', withToken: false },
  { through: 'client', withToken: true },
  { through: 'page', withToken: false },
  { through: 'page', withToken: true },
];

/** A way that was not denied, at an origin, with the token that it went with. */
interface Favourite {
  readonly origin: string;
  readonly way: Way;
  readonly token: Secret | undefined;
}

const LOOK_MS = 10 * SECOND_MS;
/** A look at the fingerprint is taken every few seconds. */
const GLANCE_MS = 2 * SECOND_MS;

/**
 * A browser in which the user is signed in, reached by the Chrome DevTools Protocol. Its cookies are used by our own
 * client as long as that is let in; else the bytes are fetched inside the browser, whose TLS and whose answers to
 * challenges are then its own.
 */
export function browserLogin({ cdpUrl }: { readonly cdpUrl: string }, { transport }: LoginParts): Login {
  const label = `the browser at ${cdpUrl}`;
  const page = pageTransport(cdpUrl);
  let favourite: Favourite | undefined;
  /** What our own questions have renewed the session to, and what it was called before. */
  let renewed: { readonly to: string; readonly from: string } | undefined;
  let glance: Promise<string> | undefined;

  return {
    label,
    howToRenew: `Open ${label} (docs/how-to/browser-login.md says how) and sign in to ChatGPT in it.`,
    async *waysIn(address, context) {
      const first = favourite?.origin === address.origin ? favourite : undefined;
      const holding = await look(cdpUrl, context.signal);
      if (holding.kind === 'unusable') {
        favourite = undefined;
        // It was here a moment ago: an interruption, which is over soon if the browser is being restarted.
        if (first !== undefined) yield { kind: 'headers', headers: {}, transport: page };
        return yield holding;
      }
      const cookie = cookieHeader(holding.cookies, address, context.now);
      if (cookie === undefined) return yield signedOut(address.hostname);
      const plain = { cookie, 'user-agent': holding.userAgent };
      // Whoever asks for the next way has been denied this one.
      if (first !== undefined) {
        yield answerOf(first.way, plain, first.token);
        favourite = undefined;
      }
      for (const way of WAYS) {
        if (way === first?.way && !way.withToken) continue;
        const session = way.withToken ? await sessionOf(way, plain, address, context) : undefined;
        if (way.withToken && session?.kind !== 'signed-in') {
          if (way.through === 'page' && session !== undefined) yield notSignedIn(session);
          continue;
        }
        const token = session?.kind === 'signed-in' ? session.accessToken : undefined;
        favourite = { origin: address.origin, way, token };
        yield answerOf(way, plain, token);
        favourite = undefined;
      }
      await rememberRenewal(holding.cookies, context.signal);
    },
    async check(origin, context) {
      const holding = await look(cdpUrl, context.signal);
      if (holding.kind === 'unusable') return { kind: 'dead', detail: holding.detail };
      if (!holding.cookies.some((cookie) => cookieIsFor(cookie, origin.hostname))) {
        return { kind: 'dead', detail: signedOut(origin.hostname).detail };
      }
      const session = await askSession(origin, { transport: page, headers: {}, signal: context.signal });
      await rememberRenewal(holding.cookies, context.signal);
      switch (session.kind) {
        case 'signed-in':
          return letIn({ until: session.until }, session.account, context.now);
        case 'signed-out':
          return { kind: 'dead', detail: session.detail };
        case 'unknown':
        case 'unreached':
          return notAsked({ until: undefined }, session.detail, context.now);
      }
    },
    fingerprint() {
      glance ??= takeGlance().finally(() => {
        glance = undefined;
      });
      return glance;
    },
  };

  function signedOut(hostname: string) {
    return unusable(
      `The browser at ${cdpUrl} has no cookie of ${hostname}: open https://${hostname} in it and sign in. Only the profile that it was started with counts, and no private window.`,
    );
  }

  function notSignedIn({ kind, detail }: Exclude<SessionAnswer, { kind: 'signed-in' }>): LoginAnswer {
    return { kind: kind === 'unreached' ? 'undecided' : 'unusable', detail: `With ${label}: ${detail}` };
  }

  function answerOf({ through }: Way, plain: LoginHeaders, token: Secret | undefined): LoginAnswer {
    const bearer: LoginHeaders = token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` };
    return through === 'page'
      ? { kind: 'headers', headers: bearer, transport: page }
      : { kind: 'headers', headers: { ...plain, ...bearer } };
  }

  function sessionOf({ through }: Way, plain: LoginHeaders, { origin }: URL, { signal }: LoginContext) {
    const asking = through === 'page' ? { transport: page, headers: {} } : { transport, headers: plain };
    return askSession(new URL(origin), { ...asking, signal });
  }

  /** A session that is asked for may be renewed by that; this is not the user's doing, and no reason to try again. */
  async function rememberRenewal(before: readonly Cookie[], signal: AbortSignal): Promise<void> {
    const holding = await look(cdpUrl, signal);
    if (holding.kind === 'unusable') return;
    const [from, to] = [calledBefore(sessionFingerprint(before)), sessionFingerprint(holding.cookies)];
    if (from !== to) renewed = { to, from };
  }

  function calledBefore(fingerprint: string): string {
    return renewed?.to === fingerprint ? renewed.from : fingerprint;
  }

  async function takeGlance(): Promise<string> {
    const holding = await look(cdpUrl, new AbortController().signal, GLANCE_MS);
    return holding.kind === 'unusable' ? 'absent' : calledBefore(sessionFingerprint(holding.cookies));
  }
}

/** @throws the signal's reason, and nothing else */
async function look(cdpUrl: string, signal: AbortSignal, timeoutMs = LOOK_MS): Promise<Holding> {
  const reached = await reachBrowser(cdpUrl, signal, timeoutMs);
  if (reached.kind === 'unusable') return reached;
  const { connection, userAgent } = reached;
  try {
    const cookies = await withTimeout('The cookies', timeoutMs, signal, () => readCookies(connection));
    return { kind: 'held', cookies, userAgent };
  } catch {
    signal.throwIfAborted();
    return unusable(`The browser at ${cdpUrl} does not give its cookies. Is it a current Chromium or Chrome?`);
  } finally {
    connection.close();
  }
}

function unusable(detail: string): Extract<LoginAnswer, { kind: 'unusable' }> {
  return { kind: 'unusable', detail };
}
