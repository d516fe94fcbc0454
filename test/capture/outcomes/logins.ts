import { join } from 'node:path';
import type { LoginConfig } from '../../../src/config/index.ts';

/** What a login comes to where one is asked for. */
export type Standing =
  /** The server lets it in. */
  | 'let-in'
  /** The server is asked, and denies. */
  | 'denied'
  /** There is nothing to ask the server with. */
  | 'unusable';

export interface Surroundings {
  readonly directory: string;
  /** The DevTools of a browser whose user is signed in. */
  readonly cdpUrl: string;
}

/** One way to have, or not to have, a login. */
export interface LoginCase {
  readonly standing: Standing;
  /** The login's files, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** @param surroundings where the files lie, and where a signed-in browser is */
  readonly logins: (surroundings: Surroundings) => readonly LoginConfig[];
  /** The server lets the session cookie in only beside the access token of its session. */
  readonly isCookieDeniedAlone?: true;
  /** The server shows whoever is no browser a challenge. */
  readonly isDeniedToPrograms?: true;
  /** Another shape of a login that is here already: what befalls the bytes once it is let in is not tried again. */
  readonly isVariant?: true;
  /** What a message about it says. */
  readonly says?: RegExp;
}

export const TOKEN = 'good-token.of-ada';
export const SESSION = 'good-session-of-ada-which-browsers-split-in-two';
const DEAD = 'dead-token.of-ada';

const IN_A_YEAR = Math.floor(Date.now() / 1000) + 365 * 24 * 3600;
const SESSION_COOKIE = '__Secure-next-auth.session-token';

function cookiesTxt(cookies: Readonly<Record<string, string>>, { domain = 'localhost', expires = IN_A_YEAR } = {}) {
  const lines = Object.entries(cookies).map(([name, value]) =>
    [`#HttpOnly_${domain}`, 'FALSE', '/', 'TRUE', expires, name, value].join('\t'),
  );
  return `# Netscape HTTP Cookie File\n${lines.join('\n')}\n`;
}

const bearer = ({ directory }: Surroundings): LoginConfig[] => [
  { type: 'bearer', tokenFile: join(directory, 'token') },
];
const cookies = ({ directory }: Surroundings): LoginConfig[] => [
  { type: 'cookies', file: join(directory, 'cookies.txt') },
];
const command = ({ directory }: Surroundings): LoginConfig[] => [
  { type: 'command', command: ['/bin/cat', join(directory, 'printed')] },
];
const both = (surroundings: Surroundings): LoginConfig[] => [...bearer(surroundings), ...cookies(surroundings)];
const browser = ({ cdpUrl }: Surroundings): LoginConfig[] => [{ type: 'browser', cdpUrl }];
/** Nothing listens there (RFC 6335: port 1 is assigned, and used by nobody). */
const noBrowser = (): LoginConfig[] => [{ type: 'browser', cdpUrl: 'http://127.0.0.1:1' }];

/** Every login there is, in every condition. A new kind of login is some lines here, and nothing else. */
export const LOGINS: Readonly<Record<string, LoginCase>> = {
  'no login': { standing: 'denied', logins: () => [], says: /no login is configured/i },
  'a good token': { standing: 'let-in', logins: bearer, files: { token: `${TOKEN}\n` } },
  'a dead token': { standing: 'denied', logins: bearer, files: { token: DEAD }, says: /token/ },
  'a token that is missing': { standing: 'unusable', logins: bearer, says: /does not exist/ },
  'a token that is none': {
    standing: 'unusable',
    isVariant: true,
    logins: bearer,
    files: { token: 'two words\nand a line' },
    says: /does not hold one access token/,
  },
  'good cookies': {
    standing: 'let-in',
    logins: cookies,
    files: { 'cookies.txt': cookiesTxt({ [SESSION_COOKIE]: SESSION }) },
  },
  'good cookies, split': {
    standing: 'let-in',
    isVariant: true,
    logins: cookies,
    files: {
      'cookies.txt': cookiesTxt({
        [`${SESSION_COOKIE}.0`]: SESSION.slice(0, 20),
        [`${SESSION_COOKIE}.1`]: SESSION.slice(20),
      }),
    },
  },
  'dead cookies': {
    standing: 'denied',
    logins: cookies,
    files: { 'cookies.txt': cookiesTxt({ [SESSION_COOKIE]: DEAD }) },
    says: /cookies/,
  },
  'cookies that have expired': {
    standing: 'unusable',
    logins: cookies,
    files: { 'cookies.txt': cookiesTxt({ [SESSION_COOKIE]: SESSION }, { expires: 1_700_000_000 }) },
    says: /no cookie .* still valid/,
  },
  "another site's cookies": {
    standing: 'unusable',
    isVariant: true,
    logins: cookies,
    files: { 'cookies.txt': cookiesTxt({ [SESSION_COOKIE]: SESSION }, { domain: 'example.org' }) },
    says: /no cookie/,
  },
  'the auth.json of the Codex CLI': {
    standing: 'let-in',
    isVariant: true,
    logins: ({ directory }) => [{ type: 'bearer', tokenFile: join(directory, 'auth.json') }],
    files: { 'auth.json': JSON.stringify({ OPENAI_API_KEY: null, tokens: { access_token: TOKEN, account_id: 'x' } }) },
  },
  'good cookies that need the token of their session': {
    standing: 'let-in',
    isCookieDeniedAlone: true,
    logins: cookies,
    files: { 'cookies.txt': cookiesTxt({ [SESSION_COOKIE]: SESSION }) },
  },
  'a command that prints a good token': {
    standing: 'let-in',
    logins: command,
    files: { printed: `Authorization: Bearer ${TOKEN}\n` },
  },
  'a command that prints good cookies': {
    standing: 'let-in',
    isVariant: true,
    logins: command,
    files: { printed: `Cookie: ${SESSION_COOKIE}=${SESSION}\nUser-Agent: Mozilla/5.0\n` },
  },
  'a command that prints a dead token': {
    standing: 'denied',
    logins: command,
    files: { printed: `Authorization: Bearer ${DEAD}\n` },
    says: /command cat/,
  },
  'a command that fails': { standing: 'unusable', logins: command, says: /command cat ended with exit code 1/ },
  'a dead token, and good cookies': {
    standing: 'let-in',
    isVariant: true,
    logins: both,
    files: { token: DEAD, 'cookies.txt': cookiesTxt({ [SESSION_COOKIE]: SESSION }) },
  },
  'a missing token, and dead cookies': {
    standing: 'denied',
    isVariant: true,
    logins: both,
    files: { 'cookies.txt': cookiesTxt({ [SESSION_COOKIE]: DEAD }) },
    says: /does not exist.*cookies/s,
  },
  'a signed-in browser': { standing: 'let-in', isVariant: true, logins: browser },
  'a signed-in browser, where programs are refused': { standing: 'let-in', isDeniedToPrograms: true, logins: browser },
  'a browser that is not running': {
    standing: 'unusable',
    isVariant: true,
    logins: noBrowser,
    says: /browser at http/,
  },
};
