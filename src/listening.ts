import { isDeepStrictEqual } from 'node:util';
import type { Assembly } from './assembly.ts';
import type { Config } from './config/index.ts';
import { type Heartbeat, judgeHealth } from './heartbeat.ts';
import { isContainer } from './lib/access.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { isLoopback } from './lib/loopback.ts';
import { type App, listenAt } from './listener.ts';
import { HEALTH_PATHS, observabilityRoutes, readMetrics } from './observability/index.ts';

/**
 * Opens the ears for HTTP that are wished for; the health checks and the web page may share an address.
 * @throws ChatkeepError `config` if an address cannot be listened at; what opening the web page throws
 */
export async function openListeners(
  config: Config,
  assembly: Assembly,
  vitals: () => Heartbeat,
  around: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<AsyncDisposable> {
  const { logger } = around;
  await using stack = new AsyncDisposableStack();
  const { listen: address, web } = config;
  const health = observabilityRoutes({
    health: () => judgeHealth(vitals(), vitals().at),
    read: () => readMetrics(config, assembly, vitals()),
    logger,
  });
  const isShared = address !== undefined && isDeepStrictEqual(address, web?.listen);
  if (address !== undefined && !isShared) {
    const { port } = stack.use(await listenAt(address, health));
    logger.info(`listening at ${address.host}:${port} for health checks and metrics`);
  }
  if (web !== undefined) {
    // Who has no web page need not have it in memory.
    const { openWebPage } = await import('./web-page.ts');
    const page = stack.use(await openWebPage(web, { ...around, config, assembly, vitals }));
    const both: App['fetch'] = (request, bindings) =>
      (isShared && HEALTH_PATHS.has(new URL(request.url).pathname) ? health : page).fetch(request, bindings);
    const { port } = stack.use(await listenAt(web.listen, { fetch: both }, 'web.listen'));
    const { host } = web.listen;
    logger.info(
      `the web page is at ${web.url ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`}/${isShared ? ', with health checks and metrics' : ''}`,
    );
    if (isLoopback(host) && isContainer()) {
      logger.warn(
        `the web page can be opened from inside of this container only: set CHATKEEP_WEB_LISTEN to 0.0.0.0:${port}, and publish the port to the machine around it: \`ports: ["127.0.0.1:${port}:${port}"]\``,
      );
    }
  }
  return stack.move();
}
