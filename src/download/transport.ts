import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import { MINUTE_MS, SECOND_MS } from '../lib/clock.ts';
import { errorCode } from '../lib/errors.ts';
import type { DownloadPlace, ResolveName } from './address-guard.ts';
import { Body } from './body.ts';
import { guardedConnector } from './connector.ts';

/** One request, exactly as it goes out: nothing is added, no redirect is followed. */
export interface HttpRequest {
  readonly address: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; of repeated fields the first. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the body without reading it. */
  discard(): void;
}

/** The network, as the downloader needs it: handed in, so that every fault can be tried in virtual time. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 30 * SECOND_MS;
/** OpenAI's servers have been seen to think for a while before a large file starts. */
const HEADERS_TIMEOUT_MS = 2 * MINUTE_MS;

/**
 * The network by undici: TLS with the system roots (and the authority of `caFile`) on port 443 of public addresses, but
 * for the user's extra places.
 *
 * @throws if `caFile` cannot be read
 */
export async function createTransport(options: {
  places: readonly DownloadPlace[];
  caFile?: string | undefined;
  /** How names are resolved, before it is checked whether they lead to public addresses; the system's way unless given. */
  resolveName?: ResolveName;
}): Promise<Transport> {
  const exempt = new Set(options.places.filter(({ extra }) => extra).map(({ origin }) => origin));
  const ca =
    options.caFile === undefined ? undefined : [...getCACertificates(), await readFile(options.caFile, 'utf8')];
  const connect = guardedConnector({ exempt, ca, timeoutMs: CONNECT_TIMEOUT_MS, resolveName: options.resolveName });
  let agent: Promise<Agent> | undefined;
  return {
    send: async (request) => {
      agent ??= openAgent(connect);
      return exchange(await agent, request);
    },
    close: async () => (await agent)?.destroy(),
  };
}

/** undici takes 15 MB of memory, and a service may wait for weeks before there is something to fetch. */
async function openAgent(connect: buildConnector.connector): Promise<Agent> {
  const { Agent } = await import('undici');
  return new Agent({
    connect,
    headersTimeout: HEADERS_TIMEOUT_MS,
    allowH2: false,
    // The downloader has its own watchdog over the body, which knows what a stall is.
    bodyTimeout: 0,
  });
}

/**
 * One request, in the plainest way undici has: the streams that its other ways put between cost as much as TLS does.
 * When the signal aborts it is over at once, connected or not.
 */
function exchange(agent: Agent, { address, headers, signal }: HttpRequest): Promise<HttpResponse> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  let body: Body | undefined;
  let controller: Dispatcher.DispatchController | undefined;
  const breakOff = (error: unknown) => {
    signal.removeEventListener('abort', onAbort);
    reject(error);
    body?.end({ error });
  };
  const onAbort = () => {
    breakOff(signal.reason);
    controller?.abort(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  agent.dispatch(
    { origin: address.origin, path: `${address.pathname}${address.search}`, method: 'GET', headers },
    {
      onRequestStart(started) {
        controller = started;
        if (signal.aborted) started.abort(signal.reason);
      },
      onResponseStart(started, status, fields) {
        // 1xx announces the answer and is none (RFC 9110 section 15.2).
        if (status < 200) return;
        body = new Body(started);
        resolve({ status, headers: firstOfEach(fields), body, discard: () => started.abort(new Error('discarded')) });
      },
      onResponseData(_, chunk) {
        body?.bring(chunk);
      },
      onResponseEnd() {
        signal.removeEventListener('abort', onAbort);
        body?.end();
      },
      onResponseError: (_, error) => breakOff(error),
    },
  );
  return promise;
}

function firstOfEach(fields: Readonly<Record<string, string | string[] | undefined>>): HttpResponse['headers'] {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}

/** What went wrong on the way to or from a server, as a sentence without an address. */
export function networkTrouble(error: unknown, host: string): string {
  const code = errorCode(error) ?? (error instanceof Error ? errorCode(error.cause) : undefined);
  const why = NETWORK_TROUBLE[code ?? ''];
  if (why !== undefined) return `${host} ${why}.`;
  if (code?.startsWith('ERR_TLS') || code?.includes('CERT') || code?.startsWith('ERR_SSL')) {
    return `The certificate of ${host} cannot be trusted (${code}).`;
  }
  return `The connection to ${host} failed${code === undefined ? '' : ` (${code})`}.`;
}

const NETWORK_TROUBLE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'cannot be found: the name does not resolve',
  EAI_AGAIN: 'cannot be found at present: name resolution fails',
  ENOTPUBLIC:
    'is at a private address, where no export can be; if a proxy of yours answers for names with addresses that it made up, see docs/how-to/fake-ip-dns.md',
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'broke the connection off',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached: there is no network',
  ETIMEDOUT: 'does not answer',
  EBROWSER: 'cannot be asked: the browser refused to. Is it a current Chromium or Chrome?',
  EBROWSERFAILED: 'gave the browser no answer that it can use',
  EBROWSERGONE: 'cannot be asked any further: the browser has gone away',
  UND_ERR_HEADERS_TIMEOUT: 'took the request and did not answer it',
  UND_ERR_SOCKET: 'closed the connection early',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'shows a self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'shows a certificate of an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'shows a certificate of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'shows a certificate of an unknown authority',
};
