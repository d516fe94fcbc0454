import type { MiddlewareHandler } from 'hono';
import { html } from 'hono/html';
import { plainPage } from '../views/plain-page.ts';

/** Methods that change nothing (RFC 9110, section 9.2.1). */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what would change something and was not sent by a page of ours: by Sec-Fetch-Site, which browsers send over
 * https and on localhost, else by Origin, which they send with every POST. Whoever sends neither is no browser of today.
 */
export function refuseForeignRequests(): MiddlewareHandler {
  return async (context, next) => {
    if (SAFE_METHODS.has(context.req.method)) return next();
    const site = context.req.header('sec-fetch-site');
    const isOurs =
      site === undefined
        ? isSameHost(context.req.header('origin'), context.req.header('host'))
        : site === 'same-origin';
    if (isOurs) return next();
    return context.html(
      plainPage(
        'This was not sent by a page of Chatkeep',
        html`<p>Nothing has been changed. If you came here from a page of Chatkeep, load that page anew and try again. Behind a
reverse proxy, see to it that it passes the header <code>Host</code> on as the browser sent it.</p>`,
      ),
      403,
    );
  };
}

/** The scheme is left out of it: behind a proxy it is not known, and the token of the form stands against the rest. */
function isSameHost(origin: string | undefined, host: string | undefined): boolean {
  const from = URL.parse(origin ?? '');
  const to = from === null ? null : URL.parse(`${from.protocol}//${host ?? ''}`);
  return from !== null && to !== null && from.host !== '' && from.host === to.host;
}
