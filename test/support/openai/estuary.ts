import { textAnswer } from './answer.ts';
import { hasValidBearer, hasValidSession, type Logins } from './login.ts';
import { detail, FILE_STREAM_ACCESS_DENIED } from './pages.ts';
import type { StoreError, Storefront } from './storefront.ts';

const ERRORS = {
  412: 'Precondition failed',
  416: 'Requested range not satisfiable',
  429: 'Too many requests',
  503: 'Service unavailable',
} as const satisfies Record<StoreError, string>;

export interface EstuaryOptions {
  /** What the header ChatGPT-Account-Id must say, if anything, as for workspace accounts. */
  readonly requireAccountId?: string;
  /** Whether an access token is wanted, with or without the session cookie. */
  readonly deniesCookieAlone?: boolean;
}

/**
 * chatgpt.com's file stream: a signed link that is served to a signed-in user only. A bad signature, a missing login and
 * a dead link are told in the same words.
 */
export function estuaryStorefront(logins: Logins, { requireAccountId, deniesCookieAlone }: EstuaryOptions): Storefront {
  const denied = () => textAnswer(403, 'json', FILE_STREAM_ACCESS_DENIED);
  return {
    unknown: denied,
    refusal: ({ headers }, published, now) => {
      const byCookie = deniesCookieAlone !== true && hasValidSession(headers, logins);
      const signedIn = byCookie || hasValidBearer(headers, logins);
      const rightAccount = requireAccountId === undefined || headers['chatgpt-account-id'] === requireAccountId;
      return signedIn && rightAccount && now < published.expiresAt ? undefined : denied();
    },
    archiveHeaders: async () => ({}),
    error: (status, headers) => textAnswer(status, 'json', detail(ERRORS[status]), headers),
  };
}
