import * as z from 'zod';
import type { HttpRequest } from '../../transport.ts';
import { BrowserError, type CdpConnection, type CdpEvent } from './cdp.ts';

/** A response whose body has not been taken yet. Header names in lower case; of repeated fields the first. */
export interface HeldResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The page that the tab shows is ours: the browser takes it for one of the origin, and asks no server for it. None of
 * the site's own programs run in it.
 */
const PAGE_PATH = '/chatkeep-fetches-an-export';
const PAGE = '<!doctype html><title>Chatkeep</title><p>Chatkeep fetches an export. This tab closes by itself.';

/** A read waits until it is full: on a slow line a large one would look like a stall. */
const READ_BYTES = 64 * 1024;
/** Asked for ahead, so that the browser never waits for us; and all that is ever held. */
const READS_AHEAD = 8;

const createdTarget = z.object({ targetId: z.string() });
const attachedTarget = z.object({ sessionId: z.string() });
const openedStream = z.object({ stream: z.string() });
const streamRead = z.object({ data: z.string(), base64Encoded: z.boolean().optional(), eof: z.boolean() });

/** The protocol's Fetch.requestPaused, before a request goes out or when an answer has come. */
const pausedRequest = z.object({
  requestId: z.string(),
  request: z.object({ url: z.string(), method: z.string() }),
  responseStatusCode: z.int().optional(),
  responseErrorReason: z.string().optional(),
  responseHeaders: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
});

type PausedRequest = z.output<typeof pausedRequest>;

/**
 * A tab of its own that makes one request, as a page of the request's origin would: with the browser's cookies, its
 * TLS and its header fields. It is hidden where the browser can do that, and lives no longer than the connection.
 */
export class Tab {
  readonly #connection: CdpConnection;
  readonly #targetId: string;
  readonly #sessionId: string;
  readonly #request: HttpRequest;
  readonly #answer = Promise.withResolvers<PausedRequest>();
  #asked = false;

  private constructor(connection: CdpConnection, targetId: string, sessionId: string, request: HttpRequest) {
    this.#connection = connection;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
    this.#request = request;
    // Whoever waits for the answer is told; until somebody does, nobody has to be.
    this.#answer.promise.catch(() => {});
    connection.listen((event) => this.#hear(event));
  }

  /**
   * Opens the tab, with nothing asked yet.
   * @throws BrowserError
   */
  static async open(connection: CdpConnection, request: HttpRequest): Promise<Tab> {
    const target = { url: 'about:blank', background: true, hidden: true };
    const { targetId } = createdTarget.parse(await connection.command('Target.createTarget', target));
    const attach = { targetId, flatten: true };
    const { sessionId } = attachedTarget.parse(await connection.command('Target.attachToTarget', attach));
    const tab = new Tab(connection, targetId, sessionId, request);
    await tab.#command('Fetch.enable', { patterns: [{ urlPattern: '*', requestStage: 'Request' }] });
    // Of what passes, the browser need not keep anything for us to ask for later.
    await tab.#command('Network.enable', { maxTotalBufferSize: 0, maxResourceBufferSize: 0 });
    await tab.#command('Network.setBypassServiceWorker', { bypass: true });
    await tab.#command('Page.navigate', { url: new URL(PAGE_PATH, request.address.origin).href });
    return tab;
  }

  /**
   * Makes the request. A redirect is an answer like any other; it is not followed.
   * @throws BrowserError if the server cannot be reached, or the browser goes away
   */
  async ask(): Promise<HeldResponse> {
    const outcome = this.#command('Runtime.evaluate', {
      expression: fetchExpression(this.#request),
      awaitPromise: true,
    }).then(() => undefined);
    // The page hears of nothing but failure: what comes is taken before it gets there.
    const paused = await Promise.race([this.#answer.promise, outcome]);
    if (paused?.responseStatusCode === undefined) throw unreachable(paused?.responseErrorReason);
    const headers: Record<string, string> = {};
    for (const { name, value } of paused.responseHeaders ?? []) headers[name.toLowerCase()] ??= value;
    return { status: paused.responseStatusCode, headers, body: this.#body(paused.requestId) };
  }

  /** Closes the tab, and with it the request: one that is not hidden would stay when the connection ends. */
  close(): void {
    this.#connection.command('Target.closeTarget', { targetId: this.#targetId }).catch(() => {});
  }

  async *#body(requestId: string): AsyncGenerator<Uint8Array, void, undefined> {
    const { stream } = openedStream.parse(await this.#command('Fetch.takeResponseBodyAsStream', { requestId }));
    const read = () => {
      const chunk = this.#command('IO.read', { handle: stream, size: READ_BYTES });
      chunk.catch(() => {});
      return chunk;
    };
    const ahead = Array.from({ length: READS_AHEAD }, read);
    for (;;) {
      const { data, base64Encoded, eof } = streamRead.parse(await ahead.shift());
      if (data !== '') yield Buffer.from(data, base64Encoded === true ? 'base64' : 'utf8');
      if (eof) return;
      ahead.push(read());
    }
  }

  #hear({ method, params, sessionId }: CdpEvent): void {
    if (method === 'Target.detachedFromTarget') {
      const gone = z.object({ sessionId: z.literal(this.#sessionId) }).safeParse(params).success;
      // Somebody closed the tab, or it crashed: no read that is under way would ever end.
      if (gone) this.#connection.close();
    }
    if (method !== 'Fetch.requestPaused' || sessionId !== this.#sessionId) return;
    const paused = pausedRequest.safeParse(params).data;
    if (paused === undefined) return;
    const hasCome = paused.responseStatusCode !== undefined || paused.responseErrorReason !== undefined;
    if (hasCome) this.#answer.resolve(paused);
    else this.#letGo(paused).catch((error: unknown) => this.#answer.reject(error));
  }

  /** The one request goes out, once, and to the very address; the page comes from us; nothing else leaves the tab. */
  async #letGo({ requestId, request: { url, method } }: PausedRequest): Promise<void> {
    const { address } = this.#request;
    if (url === withoutFragment(address) && method === 'GET' && !this.#asked) {
      this.#asked = true;
      await this.#command('Fetch.continueRequest', { requestId, interceptResponse: true });
    } else if (url === new URL(PAGE_PATH, address.origin).href) {
      await this.#command('Fetch.fulfillRequest', {
        requestId,
        responseCode: 200,
        responseHeaders: [{ name: 'content-type', value: 'text/html; charset=utf-8' }],
        body: Buffer.from(PAGE).toString('base64'),
      });
    } else {
      await this.#command('Fetch.failRequest', { requestId, errorReason: 'BlockedByClient' });
    }
  }

  #command(method: string, params: object): Promise<unknown> {
    return this.#connection.command(method, params, this.#sessionId);
  }
}

function fetchExpression({ address, headers }: HttpRequest): string {
  const options = {
    headers,
    cache: 'no-store',
    credentials: 'include',
    redirect: 'manual',
    referrerPolicy: 'no-referrer',
  };
  return `fetch(${JSON.stringify(withoutFragment(address))}, ${JSON.stringify(options)}).then(() => {}, () => {})`;
}

function withoutFragment(address: URL): string {
  const bare = new URL(address);
  bare.hash = '';
  return bare.href;
}

/** Chromium's words (Network.ErrorReason of the protocol) as Node.js has them. */
const ERROR_CODES: Readonly<Record<string, string>> = {
  NameNotResolved: 'ENOTFOUND',
  ConnectionRefused: 'ECONNREFUSED',
  ConnectionReset: 'ECONNRESET',
  ConnectionClosed: 'ECONNRESET',
  ConnectionAborted: 'ECONNRESET',
  AddressUnreachable: 'EHOSTUNREACH',
  InternetDisconnected: 'ENETUNREACH',
  TimedOut: 'ETIMEDOUT',
};

function unreachable(reason: string | undefined): BrowserError {
  return new BrowserError(ERROR_CODES[reason ?? ''] ?? 'EBROWSERFAILED', 'the browser could not reach the server');
}
