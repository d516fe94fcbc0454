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

/**
 * chatgpt.com's file stream: a signed link that is served to a signed-in user only. A bad signature, a missing login and
 * a dead link are told in the same words.
 *
 * @param requireAccountId what the header ChatGPT-Account-Id must say, if anything, as for workspace accounts
 */
export function estuaryStorefront(logins: Logins, requireAccountId: string | undefined): Storefront {
  const denied = () => textAnswer(403, 'json', FILE_STREAM_ACCESS_DENIED);
  return {
    unknown: denied,
    refusal: ({ headers }, published, now) => {
      const signedIn = hasValidBearer(headers, logins) || hasValidSession(headers, logins);
      const rightAccount = requireAccountId === undefined || headers['chatgpt-account-id'] === requireAccountId;
      return signedIn && rightAccount && now < published.expiresAt ? undefined : denied();
    },
    archiveHeaders: async () => ({}),
    error: (status, headers) => textAnswer(status, 'json', detail(ERRORS[status]), headers),
  };
}
