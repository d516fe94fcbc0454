import { randomUUID } from 'node:crypto';
import { textAnswer } from './answer.ts';
import { AZURE_VERSION } from './links.ts';
import { azureError } from './pages.ts';
import type { StoreError, Storefront } from './storefront.ts';

const ERRORS = {
  412: { code: 'ConditionNotMet', message: 'The condition specified using HTTP conditional header(s) is not met.' },
  416: { code: 'InvalidRange', message: 'The range specified is invalid for the current size of the resource.' },
  429: { code: 'TooManyRequests', message: 'The request rate is too high.' },
  503: { code: 'ServerBusy', message: 'The server is busy.' },
} as const satisfies Record<StoreError, { code: string; message: string }>;

/** Azure Blob Storage behind a SAS link: the signature and the clock decide, a login plays no part. */
export function azureStorefront(): Storefront {
  return {
    unknown: (now) => authenticationFailed('Signature did not match.', now),
    refusal: (_, published, now) =>
      now < published.expiresAt
        ? undefined
        : authenticationFailed(
            `Signature not valid in the specified time frame: Start [] - Expiry [${httpDate(published.expiresAt)}] - Current [${httpDate(now)}]`,
            now,
          ),
    archiveHeaders: async (published, range) => ({
      ...serviceHeaders(randomUUID()),
      'x-ms-blob-type': 'BlockBlob',
      'x-ms-creation-time': httpDate(published.stamp),
      'x-ms-lease-state': 'available',
      'x-ms-lease-status': 'unlocked',
      'x-ms-server-encrypted': 'true',
      [range.kind === 'part' ? 'x-ms-blob-content-md5' : 'content-md5']: await published.contentMd5(),
    }),
    error: (status, headers) => {
      const { code, message } = ERRORS[status];
      const requestId = randomUUID();
      return textAnswer(status, 'xml', azureError(code, `${message}\nRequestId:${requestId}`), {
        ...serviceHeaders(requestId),
        'x-ms-error-code': code,
        ...headers,
      });
    },
  };
}

function authenticationFailed(reason: string, now: number) {
  const requestId = randomUUID();
  const message = `Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nRequestId:${requestId}\nTime:${new Date(now).toISOString()}`;
  const xml = azureError('AuthenticationFailed', message, { name: 'AuthenticationErrorDetail', text: reason });
  return textAnswer(403, 'xml', xml, { ...serviceHeaders(requestId), 'x-ms-error-code': 'AuthenticationFailed' });
}

function serviceHeaders(requestId: string): Readonly<Record<string, string>> {
  return {
    server: 'Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0',
    'x-ms-request-id': requestId,
    'x-ms-version': AZURE_VERSION,
  };
}

function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
