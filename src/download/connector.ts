import { isIP, type OnReadOpts } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import { MINUTE_MS } from '../lib/clock.ts';
import { isPublicAddress, notPublic, publicLookup, type ResolveName } from './address-guard.ts';
import { readingIntoBlocks } from './read-blocks.ts';

export interface ConnectorOptions {
  /** Origins, as `URL.origin` gives them, that may be at private addresses and at other ports than 443. */
  readonly exempt: ReadonlySet<string>;
  /** Authorities to trust, as PEM; else those of the system. */
  readonly ca: string[] | undefined;
  /** For all that it takes: name resolution, TCP connection, TLS handshake. */
  readonly timeoutMs: number;
  /** How names are resolved, before what they resolve to is checked; the system's way unless given. */
  readonly resolveName: ResolveName | undefined;
}

/** A peer that has gone without a word is found out. */
const KEEP_ALIVE_MS = MINUTE_MS;

/**
 * How connections for downloads are made: TLS on port 443 of public addresses, but for the exempt origins. Names and IP
 * addresses that stand in the place of a name are checked alike, and so is the peer once it is connected to: it sees no
 * byte (the TLS handshake would tell it the name) before that.
 */
export function guardedConnector({ exempt, ca, timeoutMs, resolveName }: ConnectorOptions): buildConnector.connector {
  const trust = ca === undefined ? {} : { secureContext: createSecureContext({ ca }) };
  const lookup = publicLookup(resolveName);
  return (target, callback) => {
    const { protocol, host = target.hostname } = target;
    const isExempt = exempt.has(new URL(`${protocol}//${host}`).origin);
    if (!isExempt && !mayBePublic(target)) return callback(notPublicHost(target), null);
    const socket = isExempt ? connectTo(target, trust) : connectToPublic(target, { ...trust, lookup });
    connected(socket, timeoutMs).then(
      () => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

type Target = buildConnector.Options;
type Trust = Pick<ConnectionOptions, 'secureContext' | 'lookup'>;

function mayBePublic({ protocol, port, hostname }: Target): boolean {
  const isOnUsualPort = protocol === 'https:' && ['', '443'].includes(port);
  // Node.js does not look up what is an address already.
  return isOnUsualPort && (isIP(hostname) === 0 || isPublicAddress(hostname));
}

function notPublicHost({ hostname }: Target): Error {
  return notPublic(`${hostname} is at no public address`);
}

function connectToPublic(target: Target, trust: Trust): TLSSocket {
  const socket = connectTo(target, trust);
  // Before Node.js's own listener, which begins the handshake.
  socket.prependOnceListener('connect', () => {
    if (!isPublicAddress(socket.remoteAddress ?? '')) socket.destroy(notPublicHost(target));
  });
  return socket;
}

function connectTo({ hostname: host, port, servername }: Target, trust: Trust): TLSSocket {
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    host,
    port: Number(port || 443),
    ...(servername === undefined ? {} : { servername }),
    // Over HTTP/2 a download that is cut shows in other ways; one version means one behaviour.
    ALPNProtocols: ['http/1.1'],
    onread: readingIntoBlocks((record) => socket.push(record)),
    ...trust,
  };
  const socket = connect(options);
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
}

/** Resolves once the handshake is done. */
async function connected(socket: TLSSocket, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('secureConnect', resolve);
  socket.on('error', reject);
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('the connection took too long'), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
