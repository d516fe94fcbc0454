import { join } from 'node:path';
import { LastingCatalog } from './catalog/index.ts';
import { catalogDirectory } from './cataloging.ts';
import { compareSnapshots } from './comparing.ts';
import type { Config, WebConfig } from './config/index.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { Access, webApp } from './web/index.ts';

export interface WebPageOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the service stops. */
  readonly signal: AbortSignal;
}

/** The web page, and what it holds open. */
export interface WebPage extends Disposable {
  readonly fetch: ReturnType<typeof webApp>['fetch'];
}

/**
 * Puts the web page together from the parts of the service.
 * @throws ChatkeepError `storage` if the list of sessions is a newer Chatkeep's
 */
export async function openWebPage(web: WebConfig, options: WebPageOptions): Promise<WebPage> {
  const { config, clock, logger, signal } = options;
  const access = await Access.open({ ...web, sessionsPath: join(config.stateDir, 'web-sessions.json'), clock, logger });
  const catalog = new LastingCatalog(catalogDirectory(config));
  const app = webApp({
    sources: {
      backupDir: config.backupDir,
      catalogDirectory: catalogDirectory(config),
      catalog: () => catalog.current,
      compare: (older, newer, stop) =>
        compareSnapshots(older, newer, { stateDir: config.stateDir, logger, signal: stop }),
      clock,
      logger,
      signal,
    },
    access,
    names: web,
  });
  return { fetch: app.fetch, [Symbol.dispose]: () => catalog[Symbol.dispose]() };
}
