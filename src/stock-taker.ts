import type { SnapshotNews, StockTaking } from './capture/index.ts';
import type { ExportSummary } from './chatgpt/index.ts';
import { type ComparingOptions, compareSnapshots } from './comparing.ts';
import { MINUTE_MS } from './lib/clock.ts';
import { errorMessage } from './lib/errors.ts';
import { withTimeout } from './lib/signals.ts';
import { Inventories } from './retention/index.ts';
import { listSnapshots, type SnapshotInfo } from './snapshot/index.ts';

/**
 * A snapshot is safe when it is asked what is new in it, and somebody waits to be told of it. The inventory of the one
 * before is there as a rule; where a gigabyte is to be read for it, a minute will do on most machines.
 */
const TIME_LIMIT_MS = 2 * MINUTE_MS;

export interface StockTakerOptions extends Omit<ComparingOptions, 'signal' | 'onReading'> {
  readonly backupDir: string;
  readonly timeLimitMs?: number;
}

/** Takes stock of exports for captures, and finds out what is new in a snapshot. */
export class StockTaker implements StockTaking {
  readonly #options: StockTakerOptions;

  constructor(options: StockTakerOptions) {
    this.#options = options;
  }

  async summarize(directory: string, capture: string, signal: AbortSignal): Promise<ExportSummary> {
    const { logger } = this.#options;
    const { summary, unwritten } = await this.#inventories(signal).takeOfStaged(capture, directory);
    if (unwritten !== undefined) logger.warn({ capture }, `the inventory of the export was not written: ${unwritten}`);
    return summary;
  }

  async newsOf(snapshot: SnapshotInfo, signal: AbortSignal): Promise<SnapshotNews | undefined> {
    const { logger, timeLimitMs = TIME_LIMIT_MS } = this.#options;
    try {
      return await withTimeout('The comparison', timeLimitMs, signal, (limit) => this.#newsOf(snapshot, limit));
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ snapshot: snapshot.id }, `what is new in ${snapshot.id} is not told: ${errorMessage(error)}`);
      return undefined;
    }
  }

  async discard(capture: string): Promise<void> {
    const { logger } = this.#options;
    await this.#inventories(new AbortController().signal)
      .discard(capture)
      .catch((error: unknown) => {
        logger.warn({ capture }, `an inventory that is of no use any more stays: ${errorMessage(error)}`);
      });
  }

  /** Removes what ended processes have left. @param now ms UTC */
  async sweep(now: number): Promise<void> {
    const { logger } = this.#options;
    await this.#inventories(new AbortController().signal)
      .sweep(now)
      .catch((error: unknown) => logger.warn(`old inventories stay: ${errorMessage(error)}`));
  }

  async #newsOf(snapshot: SnapshotInfo, signal: AbortSignal): Promise<SnapshotNews | undefined> {
    await this.#inventories(signal).adopt(snapshot.meta.capture, snapshot);
    const { snapshots, damaged } = await listSnapshots(this.#options.backupDir);
    const others = snapshots.filter(({ account, id }) => account === snapshot.account && id !== snapshot.id);
    const before = others.findLast(({ meta }) => meta.exportTime <= snapshot.meta.exportTime);
    if (before === undefined) {
      if (damaged.some(({ account }) => account === snapshot.account)) return undefined;
      return { kind: others.length === 0 ? 'first' : 'earliest' };
    }
    const compared = await compareSnapshots(before, snapshot, { ...this.#options, signal });
    if (compared === undefined) return undefined;
    const { added, changed, gone, noLongerCarried } = compared.conversations;
    return {
      kind: 'compared',
      before: before.id,
      sinceMs: snapshot.meta.exportTime - before.meta.exportTime,
      changes: {
        conversations: {
          added: added.count,
          changed: changed.count,
          gone: gone.count,
          noLongerCarried: noLongerCarried.count,
        },
        messages: compared.messages,
        files: compared.assets,
      },
    };
  }

  #inventories(signal: AbortSignal): Inventories {
    return new Inventories({ ...this.#options, signal });
  }
}
