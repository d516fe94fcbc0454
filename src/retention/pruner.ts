import type { Capture, Recorder } from '../capture/index.ts';
import { type Clock, HOUR_MS } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { count } from '../lib/text.ts';
import { Alarm } from '../lib/wake.ts';
import type { BackupDirectory } from '../snapshot/index.ts';
import { pruned } from './messages.ts';
import type { KeepPolicy } from './policy.ts';
import { prune } from './prune.ts';

export interface PrunerOptions {
  readonly policy: KeepPolicy;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Prunes after each snapshot that the service has made (`prune: after_commit`), and at no other time. */
export class Pruner {
  readonly #options: PrunerOptions;
  readonly #alarm: Alarm;
  #isAsked = false;

  constructor(options: PrunerOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** Takes notice of captures that have changed. */
  look(captures: readonly Capture[]): void {
    if (!captures.some(({ state }) => state.name === 'committed')) return;
    this.#isAsked = true;
    this.#alarm.wake();
  }

  /** Goes on until the signal aborts; a failure is logged, and the next snapshot is the next occasion. Never rejects. */
  async run(directory: BackupDirectory, recorder: Pick<Recorder, 'record'>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#isAsked) {
        this.#isAsked = false;
        await this.#prune(directory, recorder, signal).catch((error: unknown) => {
          if (!signal.aborted) this.#options.logger.warn({ err: error }, 'old snapshots could not be pruned');
        });
      }
      if (!this.#isAsked) await this.#alarm.sleep(HOUR_MS, signal);
    }
  }

  async #prune(directory: BackupDirectory, recorder: Pick<Recorder, 'record'>, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const { decisions, freedBytes } = await prune(directory, { ...this.#options, signal });
    const gone = decisions.filter(({ kind }) => kind === 'go').map(({ snapshot }) => snapshot.id);
    const unique = decisions.filter((decision) => decision.kind === 'keep' && decision.unique !== undefined).length;
    logger.info({ gone, kept: decisions.length - gone.length }, `pruned: ${count(gone.length, 'snapshot')} deleted`);
    if (gone.length === 0) return;
    await recorder.record({ messages: [pruned(gone, { freedBytes, unique }, clock.now())] });
  }
}
