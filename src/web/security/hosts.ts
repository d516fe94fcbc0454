import type { MiddlewareHandler } from 'hono';
import { html } from 'hono/html';
import ipaddr from 'ipaddr.js';
import { plainPage } from '../views/plain-page.ts';

export interface HostOptions {
  /** The address under which people open the page. */
  readonly url?: string | undefined;
  /** Further names, in lower case. */
  readonly hosts: readonly string[];
}

/**
 * Answers only under names that are known. A foreign site can have its own name resolve to this machine and then read
 * our answers as its own (DNS rebinding), but the browser sends that name along. An IP address is nobody's name.
 */
export function knownHosts({ url, hosts }: HostOptions): MiddlewareHandler {
  const known = new Set([...hosts, ...(url === undefined ? [] : [new URL(url).hostname])]);
  return async (context, next) => {
    const name = hostNameOf(context.req.header('host'));
    if (name !== undefined && (known.has(name) || isOurs(name))) return next();
    return context.html(
      plainPage(
        'This address is not known',
        html`<p>Chatkeep answers only under names that it was told, so that no foreign site can read your backups.
If ${name === undefined ? 'the name in the address bar' : html`<code>${name}</code>`} is a name of this machine, add it to
<code>web.hosts</code> (or <code>CHATKEEP_WEB_HOSTS</code>), or set <code>web.url</code>, and start the service anew.
Until then, open the page by its IP address.</p>`,
      ),
      // Misdirected Request (RFC 9110, section 15.5.20).
      421,
    );
  };
}

function hostNameOf(header: string | undefined): string | undefined {
  const url = header === undefined || /[/?#@\\\s]/.test(header) ? null : URL.parse(`http://${header}`);
  return url === null || url.hostname === '' ? undefined : url.hostname;
}

/** Addresses, and names that never leave the machine (RFC 6761, section 6.3). */
function isOurs(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || ipaddr.isValid(name.replace(/^\[(.*)\]$/, '$1'));
}
