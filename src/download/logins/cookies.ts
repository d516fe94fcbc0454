import type { Secret } from '../../lib/secret.ts';
import { formatMoment } from '../../lib/text.ts';
import { type Cookie, cookieHeader, parseCookiesTxt, sessionCookieEnds } from './cookies-txt.ts';
import { fileFingerprint, readLoginFile } from './files.ts';
import { type LoginHealth, letIn, notAsked } from './health.ts';
import type { Login, LoginAnswer, LoginContext, LoginParts } from './login.ts';
import { askSession } from './questions.ts';

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
export function cookiesLogin(path: string, { transport }: LoginParts): Login {
  const label = `the cookies in ${path}`;
  let companion: Companion | undefined;
  return {
    label,
    howToRenew: `Sign in to chatgpt.com in a browser, export its cookies as a cookies.txt, and hand that to \`chatkeep login chatgpt --cookies FILE\` (or put it at ${path}).`,
    async *waysIn(address, { now, signal }) {
      const read = await readCookies(path);
      const cookie = read.kind === 'cookies' ? cookieHeader(read.cookies, address, now) : undefined;
      if (read.kind === 'unusable') return yield read;
      if (cookie === undefined) return yield unusable(noneFits(path, address.hostname));
      // Whoever asks for the next way has been denied this one.
      if (companion?.cookie === cookie && companion.origin === address.origin) {
        yield together(cookie, companion.token);
        companion = undefined;
      }
      yield { kind: 'headers', headers: { cookie } };
      const session = await sessionOf(read.cookies, new URL(address.origin), { now, signal });
      if (session.kind !== 'signed-in') {
        return yield unusable(`No access token could be had with ${label}: ${session.detail}`);
      }
      companion = { origin: address.origin, cookie, token: session.accessToken };
      yield together(cookie, session.accessToken);
      companion = undefined;
    },
    async check(origin, context) {
      const read = await readCookies(path);
      return read.kind === 'unusable'
        ? { kind: 'dead', detail: read.detail }
        : checkCookies(read.cookies, path, origin, { transport }, context);
    },
    fingerprint: () => fileFingerprint(path),
  };

  async function sessionOf(cookies: readonly Cookie[], origin: URL, { now, signal }: LoginContext) {
    const cookie = cookieHeader(cookies, new URL('/api/auth/session', origin), now);
    if (cookie === undefined) return { kind: 'signed-out', detail: noneFits(path, origin.hostname) } as const;
    return askSession(origin, { transport, headers: { cookie }, signal });
  }
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
  { transport }: LoginParts,
  { now, signal }: LoginContext,
): Promise<LoginHealth> {
  const ends = sessionCookieEnds(cookies, origin.hostname);
  if (ends !== undefined && ends <= now) {
    return { kind: 'dead', detail: `The session cookie in ${path} has expired, at ${formatMoment(ends)}.` };
  }
  const cookie = cookieHeader(cookies, new URL('/api/auth/session', origin), now);
  if (cookie === undefined) return { kind: 'dead', detail: noneFits(path, origin.hostname) };
  const session = await askSession(origin, { transport, headers: { cookie }, signal });
  switch (session.kind) {
    case 'signed-in':
      // The answer's own time is that of a cookie it would renew; ours stays as it is.
      return letIn({ until: earlier(ends, session.until) }, session.account, now);
    case 'signed-out':
      return { kind: 'dead', detail: session.detail };
    case 'unknown':
      return notAsked({ until: ends }, session.detail, now);
  }
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

function together(cookie: string, token: Secret): LoginAnswer {
  return { kind: 'headers', headers: { cookie, authorization: `Bearer ${token.reveal()}` } };
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
