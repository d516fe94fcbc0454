import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type ParsedMail, simpleParser } from 'mailparser';
import { pino } from 'pino';
import { SMTPServer } from 'smtp-server';
import type { Logger } from '../../src/lib/logger.ts';
import { Secret } from '../../src/lib/secret.ts';
import { DeliveryError, type Fetch, type Message, parseAddress, type Service } from '../../src/notify/index.ts';
import { createAuthority } from '../support/openai/certificates.ts';
import { TEST_START_MS } from '../support/virtual-clock.ts';

/** A message as the program makes it, with what escaping and encoding could trip over. */
export const MESSAGE: Message = {
  event: 'needs-login',
  level: 'warning',
  title: 'ChatGPT export waits for a login – 23 h left',
  body: 'An export is ready <and waits> & needs "you".\nRenew the login.\n\nThe link dies at 2026-11-22 19:05 UTC.',
  at: TEST_START_MS,
  data: { capture: 'c1', deadline: TEST_START_MS + 86_400_000, retryAt: null, final: false },
};

export function serviceAt(address: string): Service {
  const [service] = parseAddress(new Secret(address));
  assert(service !== undefined);
  return service;
}

/** A signal that never aborts. */
export function noAbort(): AbortSignal {
  return new AbortController().signal;
}

export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A real web server on a port of its own that takes JSON down. */
export class WebServer implements AsyncDisposable {
  readonly requests: ReceivedRequest[] = [];
  /** Status and headers of the answers to come; `hang` never answers. */
  answer: { status: number; headers?: Record<string, string>; body?: string } | 'hang' = { status: 200 };
  readonly #server: Server;

  private constructor(makeServer: (listener: RequestListener) => Server) {
    this.#server = makeServer(async (request, response) => {
      const { method, url, headers } = request;
      this.requests.push({ method, url, headers, body: contentOf(headers, await text(request)) });
      if (this.answer === 'hang') return;
      response.writeHead(this.answer.status, this.answer.headers).end(this.answer.body ?? '{}');
    });
  }

  static async listen(tls?: { key: string; cert: string }): Promise<WebServer> {
    const server = new WebServer((listener) =>
      tls === undefined ? createServer(listener) : createTlsServer(tls, listener),
    );
    await listening(server.#server);
    return server;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function contentOf(headers: IncomingHttpHeaders, content: string): unknown {
  const type = headers['content-type'];
  if (type === undefined || type.startsWith('text/plain')) return content;
  return type === 'application/json' ? JSON.parse(content) : Object.fromEntries(new URLSearchParams(content));
}

/** What the services take a delivery by in these tests. */
export const KEY = '0123456789abcdef0123456789abcdef';

/** A `fetch` for services at a fixed place of the internet: to this server instead, with the host that was meant. */
export function reroutedTo(server: WebServer): Fetch {
  return async (address, { headers, ...init }) => {
    const { protocol, host, pathname, search } = new URL(address);
    const response = await fetch(`http://${server.host}${pathname}${search}`, {
      ...init,
      headers: { ...headers, 'x-meant-for': `${protocol}//${host}` },
    });
    return { status: response.status, headers: response.headers, body: response.body };
  };
}

/** The content of the last request, which the test knows the shape of. */
export function lastBody<T>(server: WebServer): T {
  const request = server.requests.at(-1);
  assert(request !== undefined, 'no request has come');
  return request.body as T;
}

/** Sends a message to the service of an address, to `server` whatever host it is for. */
export async function sendBy(server: WebServer, address: string, message: Message = MESSAGE): Promise<void> {
  await serviceAt(address).send(message, { signal: noAbort(), key: KEY, fetch: reroutedTo(server) });
}

/** Why a message could not be sent to the service of an address. */
export async function failureBy(server: WebServer, address: string): Promise<DeliveryError> {
  try {
    await sendBy(server, address);
  } catch (error) {
    assert(error instanceof DeliveryError, String(error));
    assert.equal(error.cause, undefined);
    return error;
  }
  throw new Error('the message was sent, and should not have been');
}

export interface ReceivedMail {
  /** Of the envelope. */
  readonly from: string;
  readonly to: readonly string[];
  readonly encrypted: boolean;
  readonly user: string | undefined;
  readonly mail: ParsedMail;
}

interface MailServerOptions {
  readonly tls: { key: string; cert: string };
  /** `starttls` offers it, `none` does not. */
  readonly security: 'implicit' | 'starttls' | 'none';
  /** The only login that is taken; none asked for if there is none. */
  readonly login?: { user: string; password: string };
  readonly refuseRecipients?: boolean;
}

/** A real SMTP server on a port of its own. */
export class MailServer implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  /** Passwords that were shown, right or wrong. */
  readonly passwords: unknown[] = [];
  readonly #server: SMTPServer;

  private constructor({ tls, security, login, refuseRecipients = false }: MailServerOptions) {
    this.#server = new SMTPServer({
      ...tls,
      secure: security === 'implicit',
      disabledCommands: [...(security === 'none' ? ['STARTTLS'] : []), ...(login === undefined ? ['AUTH'] : [])],
      // What the test is about is what the client does; the server would even take a password in clear text.
      allowInsecureAuth: true,
      logger: false,
      disableReverseLookup: true,
      onAuth: ({ username, password }, _session, done) => {
        this.passwords.push(password);
        if (username === login?.user && password === login?.password) done(null, { user: username });
        else done(new Error(`no user ${username} with password ${password}`));
      },
      onRcptTo: ({ address }, _session, done) => done(refuseRecipients ? new Error(`no mailbox ${address}`) : null),
      onData: async (stream, { envelope, secure, user }, done) => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        this.mails.push({ from, to, encrypted: secure, user, mail: await simpleParser(stream) });
        done();
      },
    });
    // A client that goes away in the middle of a handshake is what some tests are about.
    this.#server.on('error', () => {});
  }

  static async listen(options: MailServerOptions): Promise<MailServer> {
    const server = new MailServer(options);
    await listening(server.#server.server, server.#server);
    return server;
  }

  get port(): number {
    return portOf(this.#server.server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function listening(server: NetServer, starter: { listen(port: number, host: string): unknown } = server) {
  starter.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

/**
 * A certificate for localhost and 127.0.0.1, and the same for another name; this process trusts their authority from now
 * on.
 */
export async function trustedCertificates() {
  const authority = await createAuthority();
  setDefaultCACertificates([...getCACertificates('default'), authority.certPem]);
  const [own, foreign] = await Promise.all([
    authority.issue({ hosts: ['localhost', '127.0.0.1'] }),
    authority.issue({ hosts: ['elsewhere.example.org'] }),
  ]);
  return {
    own: { key: own.keyPem, cert: own.certPem },
    foreign: { key: foreign.keyPem, cert: foreign.certPem },
  };
}

/** A logger whose lines can be read. */
export function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(String(JSON.parse(line).msg)) });
  return { logger, lines };
}
