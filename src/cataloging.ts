import { join } from 'node:path';
import type { Capture } from './capture/index.ts';
import { Catalog, type CatalogSource, type IndexReport, updateCatalog } from './catalog/index.ts';
import type { Config } from './config/index.ts';
import { type Clock, HOUR_MS, SECOND_MS } from './lib/clock.ts';
import { ChatkeepError, errorMessage } from './lib/errors.ts';
import type { Logger } from './lib/logger.ts';
import { count } from './lib/text.ts';
import { Alarm } from './lib/wake.ts';
import { listSnapshots, readSumsOf, type SnapshotInfo } from './snapshot/index.ts';

/** Where the catalog lies: a cache, like all state. */
export function catalogDirectory({ stateDir }: Pick<Config, 'stateDir'>): string {
  return join(stateDir, 'catalog');
}

/**
 * Every snapshot, as the catalog takes it.
 * @throws ChatkeepError `not-found` where there is no backup directory, `storage` where it cannot be read
 */
export async function catalogSources(backupDir: string): Promise<CatalogSource[]> {
  const { snapshots } = await listSnapshots(backupDir);
  return Promise.all(snapshots.map(sourceOf));
}

const CONVERSATIONS = /(?:^|\/)conversations[^/]*\.json$/i;

async function sourceOf({ account, name, path, meta }: SnapshotInfo): Promise<CatalogSource> {
  const sums = (await readSumsOf(path)).filter((sum) => CONVERSATIONS.test(sum.path));
  return {
    account,
    name,
    directory: path,
    exportTime: meta.exportTime,
    sums: Object.fromEntries(sums.map((sum) => [sum.path, sum.sha256])),
  };
}

/** Whether it has these snapshots, all of them, and no others. */
export function isUpToDate(catalog: Catalog, sources: readonly CatalogSource[]): boolean {
  const nameOf = ({ account, name }: { readonly account: string; readonly name: string }) => `${account}/${name}`;
  const indexed = new Set(catalog.snapshots().map(nameOf));
  return indexed.size === sources.length && sources.every((source) => indexed.has(nameOf(source)));
}

export interface ReadingOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** In bytes of conversations. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Told, in a sentence, why the catalog may not have the newest snapshots. */
  readonly onStale?: (why: string) => void;
}

const LOOK_AGAIN_MS = SECOND_MS / 2;

/**
 * The catalog for a command: made or brought up to date first. Where another process is at that, or the state directory
 * cannot be written, it is read as it is.
 *
 * @throws ChatkeepError `not-found` where there is no backup directory, `storage` where there is no catalog and none
 *   can be made; the signal's reason
 */
export async function catalogForReading(config: Config, options: ReadingOptions): Promise<Catalog> {
  const { signal, clock, onProgress, onStale } = options;
  const directory = catalogDirectory(config);
  const sources = await catalogSources(config.backupDir);
  for (;;) {
    signal.throwIfAborted();
    const catalog = Catalog.open(directory);
    if (catalog !== undefined && isUpToDate(catalog, sources)) return catalog;
    try {
      await updateCatalog(directory, sources, { signal, ...(onProgress === undefined ? {} : { onProgress }) });
      catalog?.[Symbol.dispose]();
      const updated = Catalog.open(directory);
      if (updated !== undefined) return updated;
    } catch (error) {
      const isBusy = error instanceof ChatkeepError && error.class === 'in-use';
      if (catalog !== undefined && catalog.snapshots().length > 0 && error instanceof ChatkeepError) {
        onStale?.(isBusy ? 'The search index is being brought up to date by another Chatkeep.' : error.message);
        return catalog;
      }
      catalog?.[Symbol.dispose]();
      if (!isBusy) throw error;
      await clock.sleep(LOOK_AGAIN_MS, signal);
    }
  }
}

/** Retention may remove snapshots at any time, and a hand may put some there. */
const LOOK_EVERY_MS = 6 * HOUR_MS;

export interface CatalogKeeperOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly update?: typeof updateCatalog;
}

/** Keeps the catalog up to date while the service runs. No capture waits for it, and none fails for it. */
export class CatalogKeeper {
  readonly #options: CatalogKeeperOptions;
  readonly #alarm: Alarm;

  constructor(options: CatalogKeeperOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** Takes notice of captures that have changed. */
  look(captures: readonly Capture[]): void {
    if (captures.some(({ state }) => state.name === 'committed')) this.#alarm.wake();
  }

  /** At the start, after each commit, and now and then, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#bringUpToDate(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#options.logger.warn(`the search index is not up to date: ${errorMessage(error)}`);
      });
      await this.#alarm.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #bringUpToDate(signal: AbortSignal): Promise<void> {
    const { config, logger, update = updateCatalog } = this.#options;
    const directory = catalogDirectory(config);
    const sources = await catalogSources(config.backupDir);
    using catalog = Catalog.open(directory);
    if (catalog === undefined ? sources.length === 0 : isUpToDate(catalog, sources)) return;
    const report = await update(directory, sources, { signal });
    const summary = summaryOf(report);
    logger.info(summary, `the search index is up to date: ${summary.conversations}`);
  }
}

function summaryOf({ snapshots, conversations, messages }: IndexReport) {
  return {
    snapshots: count(snapshots, 'snapshot'),
    conversations: `${count(conversations.indexed, 'conversation')} read, ${conversations.known} known, ${conversations.unread} not understood`,
    messages: count(messages.indexed, 'message'),
  };
}
