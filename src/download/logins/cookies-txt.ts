import { fileFingerprint, type LoginFile, readLoginFile } from './files.ts';
import type { Login, LoginAnswer } from './login.ts';

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

/** Whether a cookie belongs into a request to `address` at `now` (RFC 6265 section 5.4; https is taken for granted). */
export function cookieFits(cookie: Cookie, address: URL, now: number): boolean {
  const host = address.hostname.toLowerCase();
  const hostFits = host === cookie.domain || (cookie.includeSubdomains && host.endsWith(`.${cookie.domain}`));
  const directory = cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`;
  const pathFits = address.pathname === cookie.path || address.pathname.startsWith(directory);
  return hostFits && pathFits && (cookie.expires === 0 || cookie.expires > now);
}

/** The browser's session cookies, in a cookies.txt. The session cookie may be split in `.0`, `.1` (shared facts). */
export function cookiesLogin(path: string): Login {
  const label = `the cookies in ${path}`;
  return {
    label,
    async *waysIn(address, { now }) {
      yield cookiesIn(path, await readLoginFile(path), address, now);
    },
    fingerprint: () => fileFingerprint(path),
  };
}

function cookiesIn(path: string, file: LoginFile, address: URL, now: number): LoginAnswer {
  if (file.kind === 'unusable') return file;
  const all = parseCookiesTxt(file.text);
  if (all.length === 0) {
    return { kind: 'unusable', detail: `The file ${path} is not a cookies.txt in Netscape format.` };
  }
  const fitting = all.filter((cookie) => cookieFits(cookie, address, now));
  if (fitting.length === 0) {
    return {
      kind: 'unusable',
      detail: `The file ${path} holds no cookie for ${address.hostname} that is still valid.`,
    };
  }
  return { kind: 'headers', headers: { cookie: fitting.map(({ name, value }) => `${name}=${value}`).join('; ') } };
}
