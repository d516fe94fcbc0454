import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { Agent, request } from 'undici';
import { MINUTE_MS, SECOND_MS } from '../lib/clock.ts';
import { errorCode } from '../lib/errors.ts';
import { type DownloadPlace, publicLookup, type ResolveName } from './address-guard.ts';
import { everyByteOf } from './body.ts';

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
 * The network by undici: TLS with the system roots (and the authority of `caFile`), public addresses only but for the
 * user's extra places.
 *
 * @throws if `caFile` cannot be read
 */
export async function createTransport(options: {
  places: readonly DownloadPlace[];
  caFile?: string | undefined;
  /** How names are resolved, before it is checked whether they lead to public addresses; the system's way unless given. */
  resolveName?: ResolveName;
}): Promise<Transport> {
  const exempt = new Set(options.places.filter(({ extra }) => extra).map(({ origin }) => new URL(origin).hostname));
  const ca =
    options.caFile === undefined ? undefined : [...getCACertificates(), await readFile(options.caFile, 'utf8')];
  const agent = new Agent({
    connect: {
      lookup: publicLookup(exempt, options.resolveName),
      timeout: CONNECT_TIMEOUT_MS,
      ...(ca === undefined ? {} : { ca }),
    },
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Over HTTP/2 a download that is cut shows in other ways; one version means one behaviour.
    allowH2: false,
    // The downloader has its own watchdog over the body, which knows what a stall is.
    bodyTimeout: 0,
  });
  return {
    async send({ address, headers, signal }) {
      const response = await request(address, { dispatcher: agent, method: 'GET', headers, signal });
      // A body that nobody reads any more may still fail, which is nobody's trouble then.
      response.body.on('error', () => {});
      return {
        status: response.statusCode,
        headers: Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
        ),
        body: everyByteOf(response.body),
        discard: () => response.body.destroy(),
      };
    },
    close: () => agent.destroy(),
  };
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
  ENOTPUBLIC: 'resolves to a private address, where no export can be',
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'broke the connection off',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached: there is no network',
  ETIMEDOUT: 'does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'does not answer',
  UND_ERR_HEADERS_TIMEOUT: 'took the request and did not answer it',
  UND_ERR_SOCKET: 'closed the connection early',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'shows a self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'shows a certificate of an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'shows a certificate of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'shows a certificate of an unknown authority',
};
