import type { IncomingHttpHeaders } from 'node:http';

/** Who counts as signed in. The sets may change while the server runs. */
export interface Logins {
  /** Access tokens, as `Authorization: Bearer` carries them. */
  readonly bearerTokens: Set<string>;
  /** Session tokens, as the cookie `__Secure-next-auth.session-token` carries them. */
  readonly sessionTokens: Set<string>;
}

/** The cookie of a browser that is signed in to ChatGPT. */
export const SESSION_COOKIE = '__Secure-next-auth.session-token';
const BEARER = /^Bearer +(\S+)$/i;

/** The token of an `Authorization: Bearer` header, valid or not. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return headers.authorization?.match(BEARER)?.[1];
}

/** The session token of the Cookie header: whole, or put together from the parts `.0`, `.1`… */
export function sessionTokenOf(headers: IncomingHttpHeaders): string | undefined {
  const cookies = cookiesOf(headers.cookie ?? '');
  const whole = cookies.get(SESSION_COOKIE);
  if (whole !== undefined) return whole;
  let joined = '';
  for (let part = 0; cookies.has(`${SESSION_COOKIE}.${part}`); part += 1)
    joined += cookies.get(`${SESSION_COOKIE}.${part}`);
  return joined === '' ? undefined : joined;
}

/** Whether the request carries the cookie of a signed-in browser. */
export function hasValidSession(headers: IncomingHttpHeaders, { sessionTokens }: Logins): boolean {
  const token = sessionTokenOf(headers);
  return token !== undefined && sessionTokens.has(token);
}

/** Whether the request carries an access token that counts. */
export function hasValidBearer(headers: IncomingHttpHeaders, { bearerTokens }: Logins): boolean {
  const token = bearerOf(headers);
  return token !== undefined && bearerTokens.has(token);
}

function cookiesOf(header: string): Map<string, string> {
  return new Map(
    header.split(';').map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
    }),
  );
}
