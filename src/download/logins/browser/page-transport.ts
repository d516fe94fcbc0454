import { MINUTE_MS, SECOND_MS } from '../../../lib/clock.ts';
import { TimeoutError, withTimeout } from '../../../lib/signals.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../transport.ts';
import { BrowserError } from './cdp.ts';
import { reachBrowser } from './endpoint.ts';
import { type HeldResponse, Tab } from './tab.ts';

const TAB_TIMEOUT_MS = 30 * SECOND_MS;
/** As long as our own client waits. */
const HEADERS_TIMEOUT_MS = 2 * MINUTE_MS;

/** Fields that the browser sets itself; a page may not. */
const BROWSERS_OWN = new Set(['accept-encoding', 'cookie', 'host', 'user-agent']);

/**
 * The network as a page in a browser has it: each request in a tab of its own, over a connection of its own, so that
 * nothing is left behind when one of them ends. Its bytes are read from the browser as they are wanted: whoever does not
 * read makes the server wait.
 *
 * @param cdpUrl where the browser's DevTools listen
 */
export function pageTransport(cdpUrl: string): Transport {
  return {
    send: (request) => sendThrough(cdpUrl, request),
    close: async () => {},
  };
}

async function sendThrough(cdpUrl: string, request: HttpRequest): Promise<HttpResponse> {
  const { signal } = request;
  const reached = await reachBrowser(cdpUrl, signal);
  if (reached.kind === 'unusable') throw new BrowserError('EBROWSERGONE', 'the browser cannot be reached');
  const { connection } = reached;
  let tab: Tab | undefined;
  const end = () => {
    signal.removeEventListener('abort', end);
    tab?.close();
    connection.close();
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const { asked, unasked } = encodedAsItIs(request);
    const opened = await withTimeout('The tab', TAB_TIMEOUT_MS, signal, () => Tab.open(connection, asked));
    tab = opened;
    const response = await withTimeout('The answer', HEADERS_TIMEOUT_MS, signal, () => opened.ask());
    return { ...(unasked ? asTheWhole(response) : response), discard: end };
  } catch (error) {
    end();
    signal.throwIfAborted();
    throw error instanceof TimeoutError ? new BrowserError('UND_ERR_HEADERS_TIMEOUT', error.message) : error;
  }
}

/**
 * A page may not say that it wants the bytes as they are; the browser says so by itself for a range (Fetch standard,
 * "HTTP-network-or-cache fetch"). Where none is asked for, the range of everything is.
 */
function encodedAsItIs(request: HttpRequest): { readonly asked: HttpRequest; readonly unasked: boolean } {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !BROWSERS_OWN.has(name)));
  const unasked = request.headers['accept-encoding'] === 'identity' && request.headers.range === undefined;
  return { asked: { ...request, headers: unasked ? { ...headers, range: 'bytes=0-' } : headers }, unasked };
}

/** Whoever has not asked for a range is given none. */
function asTheWhole(response: HeldResponse): HeldResponse {
  const [, last, total] = /^bytes 0-(\d{1,15})\/(\d{1,15})$/.exec(response.headers['content-range'] ?? '') ?? [];
  if (response.status !== 206 || Number(last) + 1 !== Number(total)) return response;
  const { 'content-range': _, ...headers } = response.headers;
  return { ...response, status: 200, headers };
}
