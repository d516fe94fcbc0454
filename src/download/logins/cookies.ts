import type { Secret } from '../../lib/secret.ts';
import { formatMoment } from '../../lib/text.ts';
import { type Cookie, cookieHeader, parseCookiesTxt, sessionCookieEnds } from './cookies-txt.ts';
import { fileFingerprint, readLoginFile } from './files.ts';
import { type LoginHealth, letIn, notAsked } from './health.ts';
import type { Login, LoginAnswer, LoginContext, LoginParts } from './login.ts';
import { askSession, SESSION_PATH, type SessionAnswer } from './questions.ts';

type Unusable = Extract<LoginAnswer, { kind: 'unusable' }>;

/** An access token that was let in beside these cookies. */
interface Companion {
  readonly origin: string;
  readonly cookie: string;
  readonly token: Secret;
}

/**
 * The browser's session cookies, in a cookies.txt. Where the server denies them by themselves, the access token of their
 * session goes along: it is asked for at the link's own origin, and kept in memory for as long as it is let in.
 */
export function cookiesLogin(path: string, parts: LoginParts): Login {
  const label = `the cookies in ${path}`;
  let companion: Companion | undefined;
  // Whoever asks for the next way has been denied the one before.
  async function* besideCookies(mine: Companion): AsyncGenerator<LoginAnswer> {
    companion = mine;
    yield {
      kind: 'headers',
      headers: { cookie: mine.cookie, authorization: `Bearer ${mine.token.reveal()}` },
    };
    if (companion === mine) companion = undefined;
  }
  return {
    label,
    howToRenew: `Sign in to chatgpt.com in a browser, export its cookies as a cookies.txt, and hand that to \`chatkeep login chatgpt --cookies FILE\` (or put it at ${path}).`,
    async *waysIn(address, context) {
      const read = await readCookies(path);
      if (read.kind === 'unusable') return yield read;
      const { origin } = address;
      const cookie = cookieHeader(read.cookies, address, context.now);
      if (cookie === undefined) return yield unusable(noneFits(path, address.hostname));
      if (companion?.cookie === cookie && companion.origin === origin) yield* besideCookies(companion);
      yield { kind: 'headers', headers: { cookie } };
      const session = await sessionOf(read.cookies, path, new URL(origin), parts, context);
      if (session.kind === 'signed-in') return yield* besideCookies({ origin, cookie, token: session.accessToken });
      const detail = `No access token could be had with ${label}: ${session.detail}`;
      yield { kind: session.kind === 'unreached' ? 'undecided' : 'unusable', detail };
    },
    async check(origin, context) {
      const read = await readCookies(path);
      return read.kind === 'unusable'
        ? { kind: 'dead', detail: read.detail }
        : checkCookies(read.cookies, path, origin, parts, context);
    },
    fingerprint: () => fileFingerprint(path),
  };
}

/**
 * What is found of cookies: by when the session cookie ends, then by whose session they are at `origin`.
 *
 * @param path the file that they are from, for messages
 * @throws the signal's reason
 */
export async function checkCookies(
  cookies: readonly Cookie[],
  path: string,
  origin: URL,
  parts: LoginParts,
  context: LoginContext,
): Promise<LoginHealth> {
  const { now } = context;
  const ends = sessionCookieEnds(cookies, origin.hostname);
  if (ends !== undefined && ends <= now) {
    return { kind: 'dead', detail: `The session cookie in ${path} has expired, at ${formatMoment(ends)}.` };
  }
  const session = await sessionOf(cookies, path, origin, parts, context);
  switch (session.kind) {
    case 'signed-in':
      // The answer's own time is that of a cookie it would renew; ours stays as it is.
      return letIn({ until: earlier(ends, session.until) }, session.account, now);
    case 'signed-out':
      return { kind: 'dead', detail: session.detail };
    case 'unknown':
    case 'unreached':
      return notAsked({ until: ends }, session.detail, now);
  }
}

async function sessionOf(
  cookies: readonly Cookie[],
  path: string,
  origin: URL,
  { transport }: LoginParts,
  { now, signal }: LoginContext,
): Promise<SessionAnswer> {
  const cookie = cookieHeader(cookies, new URL(SESSION_PATH, origin), now);
  if (cookie === undefined) return { kind: 'signed-out', detail: noneFits(path, origin.hostname) };
  return askSession(origin, { transport, headers: { cookie }, signal });
}

type CookiesFile = { readonly kind: 'cookies'; readonly cookies: readonly Cookie[] } | Unusable;

async function readCookies(path: string): Promise<CookiesFile> {
  const file = await readLoginFile(path);
  if (file.kind === 'unusable') return file;
  const cookies = parseCookiesTxt(file.text);
  return cookies.length === 0
    ? unusable(`The file ${path} is not a cookies.txt in Netscape format.`)
    : { kind: 'cookies', cookies };
}

function unusable(detail: string): Unusable {
  return { kind: 'unusable', detail };
}

function noneFits(path: string, hostname: string): string {
  return `The file ${path} holds no cookie for ${hostname} that is still valid.`;
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
