import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import { isPublicAddress, notPublic, publicLookup, type ResolveName } from './address-guard.ts';

export interface ConnectorOptions {
  /** Origins, as `URL.origin` gives them, that may be at private addresses and at other ports than 443. */
  readonly exempt: ReadonlySet<string>;
  /** Authorities to trust, as PEM; else those of the system. */
  readonly ca: string[] | undefined;
  /** For the TCP connection, name resolution included, and again for the TLS handshake. */
  readonly timeoutMs: number;
  /** How names are resolved, before what they resolve to is checked; the system's way unless given. */
  readonly resolveName: ResolveName | undefined;
}

/**
 * How connections for downloads are made: TLS on port 443 of public addresses, but for the exempt origins. Names and IP
 * addresses that stand in the place of a name are checked alike, and so is the peer once it is connected to: it sees no
 * byte (the TLS handshake would tell it the name) before that.
 */
export function guardedConnector({ exempt, ca, timeoutMs, resolveName }: ConnectorOptions): buildConnector.connector {
  // Over HTTP/2 a download that is cut shows in other ways; one version means one behaviour.
  const trust = ca === undefined ? {} : { secureContext: createSecureContext({ ca }) };
  const handshake = buildConnector({ allowH2: false, timeout: timeoutMs, ...trust });
  const lookup = publicLookup(resolveName);
  return (target, callback) => {
    const { protocol, host = target.hostname } = target;
    const isExempt = exempt.has(new URL(`${protocol}//${host}`).origin);
    const connected = isExempt ? connectTo(target, timeoutMs) : connectToPublic(target, timeoutMs, lookup);
    connected
      .then((httpSocket) => handshake({ ...target, httpSocket }, callback))
      .catch((error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null));
  };
}

async function connectToPublic(
  target: buildConnector.Options,
  timeoutMs: number,
  lookup: LookupFunction,
): Promise<Socket> {
  const { protocol, port, hostname } = target;
  const isOnUsualPort = protocol === 'https:' && ['', '443'].includes(port);
  // Node.js does not look up what is an address already.
  const isPrivateAddress = isIP(hostname) !== 0 && !isPublicAddress(hostname);
  if (!isOnUsualPort || isPrivateAddress) throw notPublic(`${hostname} is at no public address`);
  const socket = await connectTo(target, timeoutMs, lookup);
  if (isPublicAddress(socket.remoteAddress ?? '')) return socket;
  socket.destroy();
  throw notPublic(`${hostname} is at no public address`);
}

function connectTo(
  { hostname: host, port }: buildConnector.Options,
  timeoutMs: number,
  lookup?: LookupFunction,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port: Number(port || 443), ...(lookup === undefined ? {} : { lookup }) });
  socket.setTimeout(timeoutMs, () => {
    socket.destroy(Object.assign(new Error('the connection took too long'), { code: 'ETIMEDOUT' }));
  });
  socket.on('error', reject);
  socket.once('connect', () => {
    socket.setTimeout(0);
    resolve(socket);
  });
  return promise;
}
