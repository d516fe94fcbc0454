/** A cookie as a line of cookies.txt has it. `expires` in ms UTC; 0 for a session cookie. */
export interface Cookie {
  readonly domain: string;
  readonly includeSubdomains: boolean;
  readonly path: string;
  readonly expires: number;
  readonly name: string;
  readonly value: string;
}

const HTTP_ONLY_MARK = '#HttpOnly_';
const FIELDS = 7;

/**
 * The cookies of a Netscape cookies.txt, as browser extensions and yt-dlp write it: seven fields a line, separated by
 * tabs; `#HttpOnly_` before the domain is no comment. Lines of another shape are passed over.
 */
export function parseCookiesTxt(text: string): Cookie[] {
  return text.split(/\r?\n/).flatMap((raw) => {
    const line = raw.startsWith(HTTP_ONLY_MARK) ? raw.slice(HTTP_ONLY_MARK.length) : raw;
    if (line.startsWith('#')) return [];
    const fields = line.split('\t');
    const [domain, subdomains, path, , expires, name, value] = fields;
    if (fields.length !== FIELDS || !domain || !path || !name || value === undefined) return [];
    // A line end would forge a field, and beyond ASCII no field can be sent; no honest cookie has either (RFC 6265
    // section 4.1.1).
    if (/[^ -:<-~]/.test(name + value)) return [];
    return [
      {
        domain: domain.replace(/^\./, '').toLowerCase(),
        includeSubdomains: subdomains?.toUpperCase() === 'TRUE' || domain.startsWith('.'),
        path,
        expires: Math.max(0, Math.round(Number(expires) * 1000) || 0),
        name,
        value,
      },
    ];
  });
}

/** The same cookies as a cookies.txt. */
export function formatCookiesTxt(cookies: readonly Cookie[]): string {
  const lines = cookies.map(({ domain, includeSubdomains, path, expires, name, value }) =>
    [
      `${includeSubdomains ? '.' : ''}${domain}`,
      includeSubdomains ? 'TRUE' : 'FALSE',
      path,
      'TRUE',
      String(Math.round(expires / 1000)),
      name,
      value,
    ].join('\t'),
  );
  return `${['# Netscape HTTP Cookie File', ...lines].join('\n')}\n`;
}

/** Whether a cookie is for this host (RFC 6265 section 5.1.3), whatever the path. */
export function cookieIsFor({ domain, includeSubdomains }: Cookie, hostname: string): boolean {
  const host = hostname.toLowerCase();
  return host === domain || (includeSubdomains && host.endsWith(`.${domain}`));
}

/** Whether a cookie belongs into a request to `address` at `now` (RFC 6265 section 5.4; https is taken for granted). */
export function cookieFits(cookie: Cookie, address: URL, now: number): boolean {
  const directory = cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`;
  const pathFits = address.pathname === cookie.path || address.pathname.startsWith(directory);
  return cookieIsFor(cookie, address.hostname) && pathFits && !hasExpired(cookie, now);
}

/** Whether a cookie's time is over at `now` (ms UTC). */
export function hasExpired({ expires }: Cookie, now: number): boolean {
  return expires !== 0 && expires <= now;
}

/** The Cookie field of a request to `address` (RFC 6265 section 4.2.1); undefined if none fits. */
export function cookieHeader(cookies: readonly Cookie[], address: URL, now: number): string | undefined {
  const fitting = cookies.filter((cookie) => cookieFits(cookie, address, now));
  return fitting.length === 0 ? undefined : fitting.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** ChatGPT's session, whole or split into `.0`, `.1` (shared facts: "The link"). */
const SESSION_COOKIE = /^__Secure-next-auth\.session-token(\.\d+)?$/;

/** Whether a cookie is (a part of) a session of ChatGPT. */
export function isSessionCookie({ name }: Cookie): boolean {
  return SESSION_COOKIE.test(name);
}

/** When the session cookie for a host ends, ms UTC: its first part to end. Undefined if there is none or it never does. */
export function sessionCookieEnds(cookies: readonly Cookie[], hostname: string): number | undefined {
  const ends = cookies
    .filter((cookie) => isSessionCookie(cookie) && cookieIsFor(cookie, hostname) && cookie.expires !== 0)
    .map(({ expires }) => expires);
  return ends.length === 0 ? undefined : Math.min(...ends);
}
