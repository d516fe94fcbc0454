import type { Agent, Dispatcher, WebSocket } from 'undici';
import * as z from 'zod';
import { jsonOf } from '../../../lib/json.ts';

/** What the browser tells unasked. `sessionId`: of the tab that it concerns. */
export interface CdpEvent {
  readonly method: string;
  readonly params: unknown;
  readonly sessionId: string | undefined;
}

/** A browser that went away or refused; the code is one that `networkTrouble` knows. Its text holds no secret. */
export class BrowserError extends Error {
  override readonly name = 'BrowserError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A message of the protocol, whichever of its three kinds. */
const incoming = z.object({
  id: z.int().optional(),
  result: z.unknown().optional(),
  error: z.object({ code: z.number() }).optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  sessionId: z.string().optional(),
});

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/**
 * A connection by the Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/). It asks for nothing
 * by itself: tabs that nobody names are neither attached to nor told of.
 */
export class CdpConnection {
  readonly #socket: WebSocket;
  readonly #agent: Agent;
  readonly #waiting = new Map<number, Waiting>();
  #listener: (event: CdpEvent) => void = () => {};
  #lastId = 0;

  private constructor(socket: WebSocket, agent: Agent) {
    this.#socket = socket;
    this.#agent = agent;
    socket.addEventListener('message', ({ data }) => this.#take(data));
    socket.addEventListener('close', () => this.#end());
  }

  /**
   * @throws BrowserError if nobody answers there
   * @throws the signal's reason
   */
  static async open(address: URL, signal: AbortSignal): Promise<CdpConnection> {
    // Loaded when it is needed first, as in `transport.ts`.
    const { Agent, WebSocket } = await import('undici');
    signal.throwIfAborted();
    const agent = new Agent();
    const socket = new WebSocket(address, { dispatcher: agent.compose(withoutCompression) });
    const connection = new CdpConnection(socket, agent);
    const opened = Promise.withResolvers<void>();
    const onAbort = () => opened.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.addEventListener('open', () => opened.resolve());
    socket.addEventListener('close', () => opened.reject(gone()));
    try {
      await opened.promise;
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Has every event from now on told to one listener. */
  listen(listener: (event: CdpEvent) => void): void {
    this.#listener = listener;
  }

  /**
   * Has the browser do something, in the tab that the session is of, or by itself.
   * @throws BrowserError if it refuses, or goes away
   */
  command(method: string, params: object = {}, sessionId?: string): Promise<unknown> {
    if (this.#socket.readyState !== this.#socket.OPEN) return Promise.reject(gone());
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    return promise;
  }

  /** Ends the connection, and nothing else: the browser stays as it is. */
  close(): void {
    this.#end();
    this.#socket.close();
  }

  #take(data: unknown): void {
    const message = incoming.safeParse(jsonOf(String(data))).data;
    if (message === undefined) return;
    const { id, result, error, method, params, sessionId } = message;
    if (method !== undefined) this.#listener({ method, params, sessionId });
    if (id === undefined) return;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new BrowserError('EBROWSER', `the browser refused a command (${error.code})`));
  }

  #end(): void {
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
    this.#agent.destroy().catch(() => {});
  }
}

function gone(): BrowserError {
  return new BrowserError('EBROWSERGONE', 'the browser has gone away');
}

/** Chromium would compress what it sends, which takes it four times as long as all the rest of the transfer. */
const withoutCompression: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const headers = Object.fromEntries(
    Object.entries(options.headers ?? {}).filter(([name]) => name !== 'sec-websocket-extensions'),
  );
  return dispatch({ ...options, headers }, handler);
};
