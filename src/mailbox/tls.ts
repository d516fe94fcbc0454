import { readFile } from 'node:fs/promises';
import {
  type ConnectionOptions,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type SecureVersion,
  TLSSocket,
} from 'node:tls';
import type { MailboxConfig } from '../config/index.ts';
import { errorMessage } from '../lib/errors.ts';
import { MailboxError } from './trouble.ts';

/** What a connection trusts: the system's roots, those and an authority's, or one certificate alone. */
export interface Trust {
  readonly options: ConnectionOptions;
  /** The SHA-256 of the server's certificate, as 64 lower-case hex digits, where nothing else is trusted. */
  readonly fingerprint: string | undefined;
}

/** @throws MailboxError `unreachable` if the ca_file cannot be read */
export async function trustOf({ caFile, fingerprintSha256 }: MailboxConfig): Promise<Trust> {
  const minVersion = 'TLSv1.2';
  if (fingerprintSha256 !== undefined) {
    // The chain is not asked; holdToFingerprint checks the certificate itself.
    return { options: { minVersion, rejectUnauthorized: false }, fingerprint: bareHex(fingerprintSha256) };
  }
  const options: ConnectionOptions = { minVersion, rejectUnauthorized: true };
  if (caFile === undefined) return { options, fingerprint: undefined };
  return { options: { ...options, secureContext: await contextOf(caFile, minVersion) }, fingerprint: undefined };
}

/** By the file's path. The roots of a context take about a megabyte: many mailboxes share one. */
const contexts = new Map<string, { readonly pem: string; readonly context: SecureContext }>();

/** The system's roots and those of the file, which is read anew each time: it may have been renewed. */
async function contextOf(caFile: string, minVersion: SecureVersion): Promise<SecureContext> {
  try {
    const pem = await readFile(caFile, 'utf8');
    const known = contexts.get(caFile);
    if (known?.pem === pem) return known.context;
    const context = createSecureContext({ minVersion, ca: [...rootCertificates, pem] });
    contexts.set(caFile, { pem, context });
    return context;
  } catch (error) {
    throw new MailboxError('unreachable', `The ca_file ${caFile} cannot be used: ${errorMessage(error)}.`, error);
  }
}

/** Whether a socket is encrypted, and its server has shown the certificate of that fingerprint. */
export function showsFingerprint(socket: unknown, fingerprint: string): boolean {
  return socket instanceof TLSSocket && bareHex(socket.getPeerCertificate().fingerprint256 ?? '') === fingerprint;
}

/**
 * Sees to it that a driver's client goes on after a TLS handshake only if the server has shown the certificate of that
 * fingerprint. Node asks `checkServerIdentity` only where the chain is valid, which a self-signed one never is; and the
 * driver makes its sockets itself, with TLS from the start as with STARTTLS, and puts each into its property `socket`.
 * So that is where they are met: the handshake's event reaches the driver only if the certificate is the right one, and
 * else the socket is destroyed with an error, as Node does with a chain that is not valid. Nothing was sent by then.
 */
export function holdToFingerprint(client: object, fingerprint: string): void {
  let current: unknown = Reflect.get(client, 'socket');
  Object.defineProperty(client, 'socket', {
    configurable: true,
    get: () => current,
    set: (socket: unknown) => {
      current = socket;
      if (socket instanceof TLSSocket) guardHandshake(socket, fingerprint);
    },
  });
}

function guardHandshake(socket: TLSSocket, fingerprint: string): void {
  const emit = socket.emit.bind(socket);
  Reflect.set(socket, 'emit', (event: string, ...args: unknown[]): boolean => {
    if (event !== 'secureConnect' || showsFingerprint(socket, fingerprint)) return emit(event, ...args);
    socket.destroy(
      new MailboxError(
        'unreachable',
        `The certificate of the mail server is not the one of fingerprint_sha256. It has the fingerprint ${bareHex(socket.getPeerCertificate().fingerprint256 ?? '')}; if the server was set up anew, and only then, put that into the configuration.`,
      ),
    );
    return true;
  });
}

function bareHex(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
