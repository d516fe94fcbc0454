import type { MiddlewareHandler } from 'hono';
import { CSP_REPORT_PATH } from './csp-reports.ts';

/** Only our own files, nothing inline, nobody around us; frames are for what lies in a sandbox. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  `report-uri ${CSP_REPORT_PATH}`,
].join('; ');

/** The headers of every answer; what a page has set itself stays. */
export function securityHeaders(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    const defaults: Readonly<Record<string, string>> = {
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      // With no-referrer, browsers would send `Origin: null` with our own forms (Fetch, "append a request Origin header").
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      'x-robots-tag': 'noindex, nofollow',
      'cache-control': 'private, no-store',
    };
    for (const [name, value] of Object.entries(defaults)) {
      if (!context.res.headers.has(name)) context.res.headers.set(name, value);
    }
  };
}
