import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DAY_MS, SECOND_MS } from '../../../src/lib/clock.ts';
import { type Answer, emptyAnswer, textAnswer } from './answer.ts';
import { azureStorefront } from './azure.ts';
import type { ExportBody } from './body.ts';
import { type Authority, createAuthority } from './certificates.ts';
import { Connections } from './connections.ts';
import { estuaryStorefront } from './estuary.ts';
import { answerExport } from './export-answer.ts';
import { exportIdOf, type LinkForm, linkTarget, makeLink, signatureHolds } from './links.ts';
import { bearerOf, hasValidBearer, hasValidSession, type Logins, SESSION_COOKIE, sessionTokenOf } from './login.ts';
import { Pacer } from './pacing.ts';
import { CHALLENGE_PAGE, detail, LOGIN_PAGE, me, session } from './pages.ts';
import { PublishedExport } from './published-export.ts';
import type { OpenRequestRecord, RequestListener, RequestRecord } from './request-log.ts';
import { send } from './sending.ts';
import type { Storefront } from './storefront.ts';

export type { ExportBody } from './body.ts';
export type { Fault } from './faults.ts';
export type { LinkForm } from './links.ts';
export type { PublishedExport } from './published-export.ts';
export type { RequestListener, RequestRecord } from './request-log.ts';

/** How the server is set up; every setting may be left out. */
export interface OpenAiServerOptions {
  /** Who signs the certificate; else an authority of its own. */
  readonly authority?: Authority;
  /** Address to listen on; else 127.0.0.1. The certificate is for `localhost`, 127.0.0.1 and this address. */
  readonly host?: string;
  /** What links and the origin call it; else `localhost`. */
  readonly hostname?: string;
  /** Else one of the system's choosing. */
  readonly port?: number;
  /** The clock that decides what has expired, ms UTC; else the machine's. */
  readonly now?: () => number;
  readonly bearerTokens?: readonly string[];
  readonly sessionTokens?: readonly string[];
  /** The file stream wants an access token; the session cookie is good for the session endpoint only. */
  readonly deniesCookieAlone?: boolean;
  /** Whoever does not send what a page in a current Chromium sends is shown a challenge, whatever was asked for. */
  readonly deniesPrograms?: boolean;
  /** Whoever asks for a session is given a new cookie for it; the old one stays good. */
  readonly renewsSessions?: boolean;
  /** What the header ChatGPT-Account-Id must say, as for workspace accounts; else it plays no part. */
  readonly requireAccountId?: string;
  /** The line's width, shared by all downloads, in real time; else unlimited. */
  readonly bytesPerSecond?: number;
  /** Real time before each answer. */
  readonly latencyMs?: number;
}

/** What is put up for download, and under what kind of link. */
export interface PublishOptions {
  readonly body: ExportBody;
  readonly form: LinkForm;
  /** When the export was made; else now. */
  readonly stamp?: Date;
  /** Whose it is; the first 64 digits of an export's name follow from it. */
  readonly account?: string;
  /** How long the link lives; else 24 hours. */
  readonly ttlMs?: number;
}

/** What the endpoints of the account answer with in place of what they know. */
export type AccountFault = 'challenge' | 'login-page' | 'redirect' | 'not-found' | 'unavailable' | 'flood' | 'silence';

const SESSION_PATH = '/api/auth/session';
const ACCOUNT_PATHS: ReadonlySet<string> = new Set([SESSION_PATH, '/backend-api/me']);
const FLOOD_BYTES = 1_000_000;

const ACCOUNT = 'ada@example.com';
/** Long enough that no request of a busy machine meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 60 * SECOND_MS;
/** How long a session that is asked for now is said to last. */
const SESSION_MS = 90 * DAY_MS;

/**
 * Starts a stand-in for the HTTPS side of OpenAI's export: the file stream of chatgpt.com and the Azure Blob store of
 * earlier years, both on one origin, and chatgpt.com's session endpoints. What it answers, and how it fails, follows
 * what is known of the real ones.
 */
export async function startOpenAiServer(options: OpenAiServerOptions = {}): Promise<OpenAiServer> {
  const authority = options.authority ?? (await createAuthority());
  const host = options.host ?? '127.0.0.1';
  const { keyPem, certPem } = await authority.issue({
    hosts: [...new Set(['localhost', '127.0.0.1', host, options.hostname ?? host])],
  });
  const https = createServer({ key: keyPem, cert: certPem, keepAliveTimeout: KEEP_ALIVE_MS });
  const server = new OpenAiServer(https, authority, options);
  https.listen(options.port ?? 0, host);
  await once(https, 'listening');
  return server;
}

/** A running server. */
export class OpenAiServer {
  /** Whose root certificate clients must trust. */
  readonly authority: Authority;
  /** Access tokens that count as a login; may change at any time. */
  readonly bearerTokens: Set<string>;
  /** Values of the session cookie that count as a login; may change at any time. */
  readonly sessionTokens: Set<string>;
  /** What `/api/auth/session` and `/backend-api/me` do from now on instead of answering as they should. */
  accountFault: AccountFault | undefined;
  /** Every request, in the order in which the answers began. */
  readonly requests: readonly RequestRecord[];
  readonly #requests: RequestRecord[] = [];
  readonly #listeners = new Set<RequestListener>();
  readonly #https: Server;
  readonly #connections: Connections;
  readonly #hostname: string;
  readonly #now: () => number;
  readonly #latencyMs: number;
  readonly #deniesPrograms: boolean;
  readonly #renewsSessions: boolean;
  readonly #pacer: Pacer | undefined;
  readonly #storefronts: Readonly<Record<LinkForm, Storefront>>;
  readonly #signingKey = randomBytes(32);
  readonly #exports = new Map<string, PublishedExport>();
  readonly #underWay = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  /** Use {@link startOpenAiServer}. */
  constructor(https: Server, authority: Authority, options: OpenAiServerOptions) {
    this.authority = authority;
    this.bearerTokens = new Set(options.bearerTokens);
    this.sessionTokens = new Set(options.sessionTokens);
    this.requests = this.#requests;
    this.#https = https;
    this.#connections = new Connections(https);
    this.#hostname = options.hostname ?? 'localhost';
    this.#now = options.now ?? Date.now;
    this.#latencyMs = options.latencyMs ?? 0;
    this.#deniesPrograms = options.deniesPrograms ?? false;
    this.#renewsSessions = options.renewsSessions ?? false;
    this.#pacer = options.bytesPerSecond === undefined ? undefined : new Pacer(options.bytesPerSecond);
    this.#storefronts = {
      azure: azureStorefront(),
      estuary: estuaryStorefront(this.#logins, options),
    };
    https.on('request', (request, response) => this.#serve(request, response));
  }

  /** `https://localhost:PORT`, or with another name. */
  get origin(): string {
    return `https://${this.#hostname}:${this.port}`;
  }

  get port(): number {
    return (this.#https.address() as AddressInfo).port;
  }

  /**
   * Puts an export up for download. A second export of one account and second takes the place of the first in the Azure
   * form, as blobs of one name do.
   *
   * @throws the file system's error if the body is a file that is not there
   */
  publish({ body, form, stamp, account = ACCOUNT, ttlMs = DAY_MS }: PublishOptions): PublishedExport {
    const madeAt = Math.floor((stamp?.getTime() ?? this.#now()) / SECOND_MS) * SECOND_MS;
    const expiresAt = madeAt + ttlMs;
    const exportId = exportIdOf({ form, account, stamp: madeAt, serial: this.#exports.size });
    const link = makeLink(form, { origin: this.origin, exportId, stamp: madeAt, expiresAt, key: this.#signingKey });
    const published = new PublishedExport({ form, exportId, link, stamp: madeAt, expiresAt, body });
    this.#exports.set(exportId, published);
    return published;
  }

  /** Calls `listener` whenever an answer begins, until the function that is given back is called. */
  onRequest(listener: RequestListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends every connection at once and frees the port; a second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = once(this.#https, 'close');
    this.#https.close();
    this.#connections.destroyAll();
    await closed;
    await Promise.all(this.#underWay);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #logins(): Logins {
    return { bearerTokens: this.bearerTokens, sessionTokens: this.sessionTokens };
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const work = this.#respond(request, response, gone.signal)
      .catch((error: unknown) => {
        if (!gone.signal.aborted) throw error;
      })
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #respond(request: IncomingMessage, response: ServerResponse, gone: AbortSignal): Promise<void> {
    const { method = '', headers, socket } = request;
    if (this.#latencyMs > 0) await delay(this.#latencyMs, undefined, { signal: gone });
    const url = new URL(request.url ?? '/', this.origin);
    const published = this.#find(url);
    if (this.accountFault === 'silence' && ACCOUNT_PATHS.has(url.pathname)) return untilGone(gone);
    const answer = await this.#answer(request, url, published);
    gone.throwIfAborted();
    const record: OpenRequestRecord = {
      method,
      path: url.pathname,
      exportId: published?.exportId,
      range: headers.range,
      ifRange: headers['if-range']?.toString(),
      status: answer.status,
      bytesSent: 0,
      hasBearer: bearerOf(headers) !== undefined,
      hasCookie: sessionTokenOf(headers) !== undefined,
      at: this.#now(),
    };
    this.#log(record, published);
    response.setHeader('date', new Date(this.#now()).toUTCString());
    await send(answer, method, {
      response,
      pacer: this.#pacer,
      gone,
      reset: () => this.#connections.reset(socket),
      sent: (bytes) => {
        record.bytesSent += bytes;
      },
    });
  }

  #log(record: RequestRecord, published: PublishedExport | undefined): void {
    this.#requests.push(record);
    published?.log(record);
    for (const listener of this.#listeners) listener(record);
  }

  /** The export that a link leads to, if the link is as we signed it. */
  #find(url: URL): PublishedExport | undefined {
    const target = linkTarget(url);
    if (target === undefined || !signatureHolds(target.form, url, this.#signingKey)) return undefined;
    return this.#exports.get(target.exportId);
  }

  async #answer({ method = '', headers }: IncomingMessage, url: URL, published?: PublishedExport): Promise<Answer> {
    if (method !== 'GET' && method !== 'HEAD') return textAnswer(405, 'json', detail('Method Not Allowed'));
    if (this.#deniesPrograms && !isOfAPage(headers)) return CHALLENGE;
    if (published !== undefined) {
      return answerExport({ method, headers }, published, this.#storefronts[published.form], this.#now());
    }
    const target = linkTarget(url);
    if (target !== undefined) return this.#storefronts[target.form].unknown(this.#now());
    if (!ACCOUNT_PATHS.has(url.pathname)) return textAnswer(404, 'json', detail('Not Found'));
    const fault = this.accountFault === undefined ? undefined : faultyAccountAnswer(this.accountFault);
    return fault ?? (url.pathname === SESSION_PATH ? this.#sessionAnswer(headers) : this.#meAnswer(headers));
  }

  /** A session without an access token of its own is given a new one. */
  #sessionAnswer(headers: IncomingMessage['headers']): Answer {
    if (!hasValidSession(headers, this.#logins)) return textAnswer(200, 'json', '{}');
    const [token = randomBytes(24).toString('base64url')] = this.bearerTokens;
    this.bearerTokens.add(token);
    return textAnswer(200, 'json', session(token, new Date(this.#now() + SESSION_MS)), this.#renewal());
  }

  #renewal(): Readonly<Record<string, string>> {
    if (!this.#renewsSessions) return {};
    const token = randomBytes(24).toString('base64url');
    this.sessionTokens.add(token);
    return { 'set-cookie': `${SESSION_COOKIE}=${token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7776000` };
  }

  #meAnswer(headers: IncomingMessage['headers']): Answer {
    return hasValidBearer(headers, this.#logins)
      ? textAnswer(200, 'json', me())
      : textAnswer(401, 'json', detail('Unauthorized'));
  }
}

const CHALLENGE = textAnswer(403, 'html', CHALLENGE_PAGE, { 'cf-mitigated': 'challenge', server: 'cloudflare' });

/** What Chromium sends with a page's own requests, and no program does unless it lies. */
function isOfAPage(headers: IncomingMessage['headers']): boolean {
  return headers['sec-fetch-site'] === 'same-origin' && headers['sec-ch-ua']?.includes('Chromium') === true;
}

function faultyAccountAnswer(fault: AccountFault): Answer | undefined {
  switch (fault) {
    case 'challenge':
      return CHALLENGE;
    case 'login-page':
      return textAnswer(200, 'html', LOGIN_PAGE);
    case 'redirect':
      return emptyAnswer(307, { location: '/auth/login', 'content-length': '0' });
    case 'not-found':
      return textAnswer(404, 'json', detail('Not Found'));
    case 'unavailable':
      return textAnswer(503, 'json', detail('Service unavailable'));
    case 'flood':
      return textAnswer(200, 'json', JSON.stringify({ padding: 'x'.repeat(FLOOD_BYTES) }));
    case 'silence':
      return undefined;
  }
}

function untilGone(gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => gone.addEventListener('abort', () => resolve()));
}
