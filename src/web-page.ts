import { join } from 'node:path';
import type { Assembly } from './assembly.ts';
import type { Capture, Journal } from './capture/index.ts';
import { LastingCatalog } from './catalog/index.ts';
import { catalogDirectory } from './cataloging.ts';
import { compareSnapshots } from './comparing.ts';
import type { Config, WebConfig } from './config/index.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { captureItems, gatherStatus, overviewOf } from './overview/index.ts';
import { Uploads } from './uploads.ts';
import { Access, webApp } from './web/index.ts';

export interface WebPageOptions {
  readonly config: Config;
  readonly assembly: Pick<Assembly, 'journal' | 'conductor'>;
  /** How the service is at this moment. */
  readonly vitals: () => Heartbeat;
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
  const { config, assembly, vitals, clock, logger, signal } = options;
  const { journal, conductor } = assembly;
  const access = await Access.open({ ...web, sessionsPath: join(config.stateDir, 'web-sessions.json'), clock, logger });
  const catalog = new LastingCatalog(catalogDirectory(config));
  const uploads = new Uploads({
    directory: join(config.stateDir, 'uploads'),
    account: config.account,
    intake: conductor.intake,
    openCaptures: () => journal.openCaptures(),
    clock,
    logger,
  });
  await uploads.sweep();
  const app = webApp({
    sources: {
      backupDir: config.backupDir,
      catalogDirectory: catalogDirectory(config),
      catalog: () => catalog.current,
      compare: (older, newer, stop) =>
        compareSnapshots(older, newer, { stateDir: config.stateDir, logger, signal: stop }),
      status: async () => {
        const now = clock.now();
        return overviewOf(await gatherStatus(config, { heartbeat: vitals(), journal }, now), now);
      },
      captures: async (ids) => captureItems(await capturesOf(journal, ids), vitals(), clock.now()),
      uploads,
      clock,
      logger,
      signal,
    },
    access,
    names: web,
  });
  return { fetch: app.fetch, [Symbol.dispose]: () => catalog[Symbol.dispose]() };
}

/** More than anybody hands in at once. */
const MOST_ASKED_FOR = 100;

async function capturesOf(journal: Journal, ids: readonly string[] | undefined): Promise<readonly Capture[]> {
  if (ids === undefined) return journal.openCaptures();
  const found = await Promise.all([...new Set(ids)].slice(0, MOST_ASKED_FOR).map((id) => journal.capture(id)));
  return found.filter((capture) => capture !== undefined);
}
