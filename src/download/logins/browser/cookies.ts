import * as z from 'zod';
import { sha256 } from '../../../lib/hash.ts';
import { type Cookie, isSessionCookie } from '../cookies-txt.ts';
import type { CdpConnection } from './cdp.ts';

/** The part that is used of the protocol's Network.Cookie. */
const cookie = z.object({
  name: z.string(),
  /** Beyond ASCII no header field can be sent (RFC 6265 section 4.1.1). */
  value: z.string().regex(/^[ -:<-~]*$/),
  domain: z.string(),
  path: z.string(),
  /** Seconds UTC, -1 for a cookie of the session. */
  expires: z.number(),
  partitionKey: z.object({ topLevelSite: z.string() }).optional(),
});

const answer = z.object({ cookies: z.array(z.unknown()) });

/**
 * The cookies of the profile that the browser was started with. A partitioned one (CHIPS) counts on its own site only.
 * @throws BrowserError
 */
export async function readCookies(connection: CdpConnection): Promise<Cookie[]> {
  const { cookies } = answer.parse(await connection.command('Storage.getCookies'));
  return cookies.flatMap((raw) => {
    const found = cookie.safeParse(raw).data;
    if (found === undefined || !isOfItsOwnSite(found)) return [];
    const { name, value, domain, path, expires } = found;
    return [
      {
        name,
        value,
        domain: domain.replace(/^\./, '').toLowerCase(),
        includeSubdomains: domain.startsWith('.'),
        path,
        expires: Math.max(0, Math.round(expires * 1000)),
      },
    ];
  });
}

function isOfItsOwnSite({ domain, partitionKey }: z.output<typeof cookie>): boolean {
  if (partitionKey === undefined) return true;
  const site = URL.parse(partitionKey.topLevelSite)?.hostname;
  return site !== undefined && `.${domain.replace(/^\./, '')}`.endsWith(`.${site}`);
}

/** Changes when somebody signs in or out anywhere that has ChatGPT's kind of session. Holds no secret. */
export function sessionFingerprint(cookies: readonly Cookie[]): string {
  const sessions = cookies.filter(isSessionCookie).map(({ domain, name, value }) => `${domain}\t${name}\t${value}`);
  return sessions.length === 0 ? 'signed-out' : sha256(sessions.toSorted().join('\n')).slice(0, 32);
}
