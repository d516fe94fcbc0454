import { type BackoffLimits, backoffMs } from '../lib/backoff.ts';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS, type Random, SECOND_MS } from '../lib/clock.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { LastingTrouble } from '../lib/lasting-trouble.ts';
import type { Logger } from '../lib/logger.ts';
import { count, formatDuration } from '../lib/text.ts';
import { Alarm } from '../lib/wake.ts';
import { newsOf, type OffsiteNews } from './news.ts';
import type { OffsiteRecord, OffsiteRecordKeeper } from './record.ts';
import { type LocalExport, OffsiteError, type OffsiteTool, type RunContext } from './tool.ts';

export interface CopierOptions {
  /** How people call the place. */
  readonly name: string;
  readonly tool: OffsiteTool;
  readonly record: OffsiteRecordKeeper;
  /** The exports in the backup directory, newest last. */
  readonly exports: () => Promise<readonly LocalExport[]>;
  /** How often what is there is checked, ms; 0: never. */
  readonly checkEveryMs: number;
  /** After how long without success people are told, ms. */
  readonly lateMs: number;
  /**
   * Takes the place for this process.
   * @throws ChatkeepError `in-use` if another process has it
   */
  readonly lock: () => Promise<Disposable>;
  /** Resolves when the news cannot be lost any more. */
  readonly tell: (news: OffsiteNews) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A line that is down for a moment, and a disk that is away for the night. */
const RETRY: BackoffLimits = { firstMs: 2 * MINUTE_MS, mostMs: 2 * HOUR_MS };
/** What other processes have brought, and snapshots that have gone. */
const LOOK_EVERY_MS = 10 * MINUTE_MS;
/** What is damaged may be mended by hand. */
const CHECK_DAMAGE_AGAIN_MS = DAY_MS;
const PROGRESS_EVERY_MS = 5 * SECOND_MS;

/** What is to be done at a place. */
interface Due {
  readonly exports: readonly LocalExport[];
  readonly missing: readonly LocalExport[];
  readonly check: boolean;
}

/**
 * Keeps the copies at one place up to date. What is to be done follows from the exports and the record alone, so that
 * nothing is forgotten over a restart; without the record it is found out anew.
 */
export class Copier {
  readonly #options: CopierOptions;
  readonly #alarm: Alarm;
  readonly #trouble: LastingTrouble;

  constructor(options: CopierOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
    this.#trouble = new LastingTrouble(options);
  }

  /** There may be a new snapshot. */
  wake(): void {
    this.#alarm.wake();
  }

  /** Goes on until the signal aborts. Never rejects: captures do not depend on it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let wait = LOOK_EVERY_MS;
      try {
        wait = await this.#look(signal);
        this.#trouble.end('the off-site copies can be seen to again');
      } catch (error) {
        if (!signal.aborted) this.#trouble.tell(error, 'the off-site copies cannot be seen to; it is tried again');
      }
      await this.#alarm.sleep(wait, signal);
    }
  }

  /**
   * Copies what is missing now, whether it is time or not, and checks if asked to. Gives the record as it is then, with
   * the trouble if there was any.
   *
   * @throws ChatkeepError `in-use` if another process is at it; the signal's reason
   */
  async doNow(
    what: { readonly copy: boolean; readonly check: boolean },
    context: RunContext,
  ): Promise<{ readonly record: OffsiteRecord; readonly missing: number }> {
    const { record } = this.#options;
    using _lock = await this.#options.lock();
    const before = await record.read();
    const due = await this.#due(before);
    // Whoever asks for a copy wants to know that all is there.
    const missing = what.copy ? due.exports : [];
    const after = await this.#work(before, { ...due, missing, check: what.check }, context);
    return { record: after, missing: missingOf(due.exports, after).length };
  }

  /** Gives how long there is nothing to do, ms. */
  async #look(signal: AbortSignal): Promise<number> {
    const { record, clock } = this.#options;
    let known = await record.read();
    const due = await this.#due(known);
    const owes = due.missing.length > 0 || due.check;
    if (owes && known.owedSince === null) known = await this.#save({ ...known, owedSince: clock.now() });
    if (!owes && known.owedSince !== null) known = await this.#save({ ...known, ...NOTHING_OWED });
    if (owes && (known.nextTryAt ?? 0) <= clock.now()) known = await this.#try(due, known, signal);
    await this.#tell(known, clock.now());
    return Math.min(LOOK_EVERY_MS, Math.max(SECOND_MS, (known.nextTryAt ?? Number.POSITIVE_INFINITY) - clock.now()));
  }

  async #try(due: Due, known: OffsiteRecord, signal: AbortSignal): Promise<OffsiteRecord> {
    try {
      using _lock = await this.#options.lock();
      return await this.#work(known, due, { signal, onProgress: () => {} });
    } catch (error) {
      // A command is at it.
      if (error instanceof ChatkeepError && error.class === 'in-use') return known;
      throw error;
    }
  }

  async #due({ copied, copiedAt, checkedAt, damage }: OffsiteRecord): Promise<Due> {
    const { exports: list, checkEveryMs, clock } = this.#options;
    const exports = await list();
    const there = new Set(copied);
    const last = checkedAt ?? copiedAt;
    const every = damage === null ? checkEveryMs : Math.min(checkEveryMs, CHECK_DAMAGE_AGAIN_MS);
    return {
      exports,
      missing: exports.filter(({ id }) => !there.has(id)),
      check: checkEveryMs > 0 && last !== null && clock.now() - last >= every,
    };
  }

  /** Copies, then checks; what fails is in the record that it gives. */
  async #work(before: OffsiteRecord, due: Due, context: RunContext): Promise<OffsiteRecord> {
    const { name, clock, random, logger } = this.#options;
    let known = before;
    try {
      if (due.missing.length > 0) known = await this.#copy(known, due, context);
      if (due.check) known = await this.#check(known, due, context);
      return await this.#save({ ...known, ...NOTHING_OWED });
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof OffsiteError)) throw error;
      const attempt = known.attempt + 1;
      const wait = backoffMs(attempt, RETRY, random);
      logger.warn({ offsite: name }, `${error.message} Next try in ${formatDuration(wait)}.`);
      return this.#save({
        ...known,
        attempt,
        owedSince: known.owedSince ?? clock.now(),
        nextTryAt: clock.now() + wait,
        trouble: error.message,
      });
    }
  }

  async #copy(known: OffsiteRecord, { exports, missing }: Due, context: RunContext): Promise<OffsiteRecord> {
    const { name, tool, record, clock, logger } = this.#options;
    const from = clock.now();
    logger.info({ offsite: name }, `copying ${count(missing.length, 'export')} to ${name}`);
    const copied = await tool
      .copy(exports, this.#telling(context))
      .finally(() => record.writeProgress(undefined).catch(() => {}));
    const now = clock.now();
    logger.info({ offsite: name }, `copied to ${name} in ${formatDuration(now - from)}`);
    return this.#save({ ...known, copied: [...copied], copiedAt: now });
  }

  async #check(known: OffsiteRecord, { exports }: Due, context: RunContext): Promise<OffsiteRecord> {
    const { name, tool, clock, logger } = this.#options;
    const there = new Set(known.copied);
    const problems = await tool.check(
      exports.filter(({ id }) => there.has(id)),
      context,
    );
    if (problems.length === 0) logger.info({ offsite: name }, `checked what is at ${name}: it is sound`);
    else logger.error({ offsite: name }, `the check of ${name} found: ${problems.join(' ')}`);
    return this.#save({
      ...known,
      checkedAt: clock.now(),
      // What is wanting there may be there again once all was copied anew.
      copied: problems.length === 0 ? known.copied : [],
      damage: problems.length === 0 ? null : problems.slice(0, 5).join(' '),
    });
  }

  /** Lets other processes see how far it is, too. */
  #telling({ signal, onProgress }: RunContext): RunContext {
    const { clock, record } = this.#options;
    let toldAt = 0;
    return {
      signal,
      onProgress: (done, total) => {
        onProgress(done, total);
        const at = clock.now();
        if (at - toldAt < PROGRESS_EVERY_MS) return;
        toldAt = at;
        // Nobody needs it: the next word comes in a few seconds.
        record.writeProgress({ at, done, total }).catch(() => {});
      },
    };
  }

  /** The news is safe before it is noted as told: it is told at least once. */
  async #tell(known: OffsiteRecord, now: number): Promise<void> {
    const { exports, lateMs, tell } = this.#options;
    const news = newsOf(known, { lateMs, missing: missingOf(await exports(), known).length, now });
    if (news === undefined) return;
    await tell(news);
    await this.#save({ ...known, told: news.kind === 'recovered' ? null : { kind: news.kind, at: now } });
  }

  async #save(record: OffsiteRecord): Promise<OffsiteRecord> {
    await this.#options.record.write(record);
    return record;
  }
}

const NOTHING_OWED = { owedSince: null, attempt: 0, nextTryAt: null, trouble: null } as const;

/** The exports that are not there. */
export function missingOf(exports: readonly LocalExport[], { copied }: OffsiteRecord): LocalExport[] {
  const there = new Set(copied);
  return exports.filter(({ id }) => !there.has(id));
}
