import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Config } from './config/index.ts';
import { MINUTE_MS, SECOND_MS } from './lib/clock.ts';
import { ChatkeepError, errorCode } from './lib/errors.ts';

/** What answers requests: an app of hono. */
export interface App {
  fetch(request: Request, bindings: HttpBindings): Response | Promise<Response>;
}

const HEADERS_WITHIN_MS = 30 * SECOND_MS;
/** Of a connection. */
const SILENCE_LIMIT_MS = 2 * MINUTE_MS;

/** The service's ear for HTTP. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves `app` at an address; port 0 is any free one.
 * @param setting where the address comes from
 * @throws ChatkeepError `config` if the address cannot be listened at
 */
export async function listenAt(
  { host, port }: NonNullable<Config['listen']>,
  app: App,
  setting: 'listen' | 'web.listen' = 'listen',
): Promise<Listener> {
  let answer: Promise<RequestListener> | undefined;
  // An upload may take hours; a connection on which nothing moves ends below.
  const server = createServer({ requestTimeout: 0, headersTimeout: HEADERS_WITHIN_MS }, async (request, response) => {
    answer ??= listenerOf(app);
    (await answer)(request, response);
  });
  server.setTimeout(SILENCE_LIMIT_MS);
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw new ChatkeepError('config', `${setting}: ${host}:${port} cannot be listened at (${whyNot(error)}).`, {
      cause: error,
      next: `Choose another port, stop the program that has it, or take \`${setting}\` out of the configuration.`,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Loaded when the first request comes, and with it all that Node.js has for `fetch`. */
async function listenerOf(app: App): Promise<RequestListener> {
  const { getRequestListener } = await import('@hono/node-server');
  return getRequestListener((request, bindings) => app.fetch(request, bindings as HttpBindings));
}

function whyNot(error: unknown): string {
  const code = errorCode(error) ?? 'unknown';
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program has it',
    EACCES: 'permission is denied',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such host',
  };
  return words[code] ?? code;
}
