import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Config } from './config/index.ts';
import { ChatkeepError, errorCode } from './lib/errors.ts';

/** What answers requests: an app of hono. */
type App = Parameters<typeof createAdaptorServer>[0];

/** The service's ear for HTTP. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves `app` at the address of `listen`; 0 is any free port.
 * @throws ChatkeepError `config` if the address cannot be listened at
 */
export async function listenAt(
  { host, port }: NonNullable<Config['listen']>,
  app: Pick<App, 'fetch'>,
): Promise<Listener> {
  const server = createAdaptorServer({ fetch: app.fetch });
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw new ChatkeepError('config', `listen: ${host}:${port} cannot be listened at (${whyNot(error)}).`, {
      cause: error,
      next: 'Choose another port, stop the program that has it, or take `listen` out of the configuration.',
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
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
