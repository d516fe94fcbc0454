import { lookup } from 'node:dns/promises';
import * as z from 'zod';
import { SECOND_MS } from '../../../lib/clock.ts';
import { errorCode } from '../../../lib/errors.ts';
import { jsonOf } from '../../../lib/json.ts';
import { TimeoutError, withTimeout } from '../../../lib/signals.ts';
import { isPublicAddress } from '../../address-guard.ts';
import { BrowserError, CdpConnection } from './cdp.ts';

/** A browser that is connected to. Whoever asked for the connection closes it. */
export interface ConnectedBrowser {
  readonly connection: CdpConnection;
  /** What it calls itself to servers. */
  readonly userAgent: string;
}

/** A browser, or a sentence that says why there is none, and what to do. */
export type Reached =
  | ({ readonly kind: 'connected' } & ConnectedBrowser)
  | { readonly kind: 'unusable'; readonly detail: string };

const TIMEOUT_MS = 10 * SECOND_MS;
const MOST_BYTES = 64 * 1024;

const version = z.object({
  'User-Agent': z.string().regex(/^[ -~]{1,1000}$/),
  webSocketDebuggerUrl: z.string(),
});

/**
 * Connects to the browser whose DevTools listen at `cdpUrl` (`http://127.0.0.1:9222`).
 *
 * @throws the signal's reason, and nothing else
 */
export async function reachBrowser(cdpUrl: string, signal: AbortSignal, timeoutMs = TIMEOUT_MS): Promise<Reached> {
  try {
    return await withTimeout('The browser', timeoutMs, signal, async (limited) => {
      const base = await numericAddress(new URL(cdpUrl));
      const { 'User-Agent': userAgent, webSocketDebuggerUrl } = await askVersion(base, limited);
      const connection = await CdpConnection.open(socketAddress(base, webSocketDebuggerUrl), limited);
      if (limited.aborted) connection.close();
      return { kind: 'connected', connection, userAgent };
    });
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'unusable', detail: `The browser at ${cdpUrl} ${whyNot(error)}` };
  }
}

/**
 * Chromium answers only to requests for an IP address or `localhost`, so that no website can reach it by a name of its
 * own (DNS rebinding). The name of a container is neither. What is not encrypted goes to private addresses only.
 *
 * @throws BrowserError, or the error of the name resolution
 */
async function numericAddress(url: URL): Promise<URL> {
  if (url.protocol === 'https:') return url;
  const { address, family } = await lookup(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  if (isPublicAddress(address)) throw new BrowserError('EPUBLIC', 'a public address');
  const numeric = new URL(url);
  numeric.hostname = family === 6 ? `[${address}]` : address;
  return numeric;
}

/** The address of the browser itself, at the place where it was asked: it knows nothing of forwarded ports. */
function socketAddress(base: URL, told: string): URL {
  const path = URL.parse(told)?.pathname;
  if (path === undefined) throw new BrowserError('ENOTABROWSER', 'no address of a browser');
  const address = new URL(`${base.protocol === 'https:' ? 'wss' : 'ws'}://${base.host}`);
  address.pathname = path;
  return address;
}

async function askVersion(base: URL, signal: AbortSignal): Promise<z.output<typeof version>> {
  // Loaded when it is needed first, as in `transport.ts`.
  const { Agent, request } = await import('undici');
  const agent = new Agent({ maxResponseSize: MOST_BYTES });
  try {
    const response = await request(new URL('/json/version', base), { dispatcher: agent, signal });
    const found = version.safeParse(jsonOf(await response.body.text())).data;
    if (found === undefined) throw new BrowserError('ENOTABROWSER', 'no answer of a browser');
    return found;
  } finally {
    agent.destroy().catch(() => {});
  }
}

function whyNot(error: unknown): string {
  if (error instanceof TimeoutError) return 'does not answer. Is it busy, or is something else listening there?';
  const code = errorCode(error);
  return WHY_NOT[code ?? ''] ?? `cannot be reached${code === undefined ? '' : ` (${code})`}. ${START_IT}`;
}

const START_IT = 'Start it with remote debugging (see docs/how-to/browser-login.md).';

const WHY_NOT: Readonly<Record<string, string>> = {
  ECONNREFUSED: `is not running. ${START_IT}`,
  ENOTFOUND: 'cannot be found: its name does not resolve. Is its container running?',
  EAI_AGAIN: 'cannot be found at present: name resolution fails.',
  EPUBLIC: 'is at a public address, and what goes there is not encrypted: give an https address.',
  ENOTABROWSER: 'answers as no browser does. Is something else listening there?',
};
