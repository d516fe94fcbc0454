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
import type { App } from './listener.ts';
import { captureItems, gatherStatus, overviewOf } from './overview/index.ts';
import { Uploads } from './uploads.ts';
import { Access, loadWebApp, type WebSources } from './web/index.ts';

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
export type WebPage = App & Disposable;

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
  const sources: WebSources = {
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
  };
  let app: ReturnType<typeof loadWebApp> | undefined;
  return {
    fetch: async (request, bindings) => {
      app ??= loadWebApp({ sources, access, names: web });
      return (await app).fetch(request, bindings);
    },
    [Symbol.dispose]: () => catalog[Symbol.dispose](),
  };
}

/** More than anybody hands in at once. */
const MOST_ASKED_FOR = 100;

async function capturesOf(journal: Journal, ids: readonly string[] | undefined): Promise<readonly Capture[]> {
  if (ids === undefined) return journal.openCaptures();
  const found = await Promise.all([...new Set(ids)].slice(0, MOST_ASKED_FOR).map((id) => journal.capture(id)));
  return found.filter((capture) => capture !== undefined);
}
