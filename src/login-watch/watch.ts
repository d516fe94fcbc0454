import type { Recorder } from '../capture/index.ts';
import type { Login, LoginHealth } from '../download/index.ts';
import { type Clock, HOUR_MS, MINUTE_MS, type Random, SECOND_MS } from '../lib/clock.ts';
import { LastingTrouble } from '../lib/lasting-trouble.ts';
import type { Logger } from '../lib/logger.ts';
import type { Message } from '../notify/index.ts';
import { type LoginFacts, loginBack, loginDead, loginDying } from './messages.ts';
import type { CheckedLogin, LoginRecord } from './record.ts';

export interface LoginWatchOptions {
  readonly logins: readonly Login[];
  /** Where they are tried out. */
  readonly origin: URL;
  readonly record: LoginRecord;
  /** How often, ms. */
  readonly everyMs: number;
  readonly recorder: Pick<Recorder, 'record'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How soon a login is checked that was renewed. */
const LOOK_EVERY_MS = MINUTE_MS;
/** A machine that boots may be without its network for a moment. */
const FIRST_LOOK_MS = 10 * SECOND_MS;
/** How soon it is seen that a login is well again, or that the server can be asked; and never sooner after a restart. */
const AGAIN_MS = HOUR_MS;

/** What is known of one login. */
interface Watched {
  readonly login: Login;
  /** ms UTC */
  dueAt: number;
  last: CheckedLogin | undefined;
}

/**
 * Tries the logins out on a schedule, so that a person hears of one that has died, or is about to, before an export
 * waits for it. Each is told once, over restarts, too (twice only if the process is killed right after the telling).
 */
export class LoginWatch {
  readonly #options: LoginWatchOptions;
  readonly #trouble: LastingTrouble;
  #watched: Watched[] = [];

  constructor(options: LoginWatchOptions) {
    this.#options = options;
    this.#trouble = new LastingTrouble(options);
  }

  /** Goes on until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#options;
    await this.#pause(FIRST_LOOK_MS * (1 + random()), signal);
    this.#watched = await this.#recall().catch((error: unknown) => {
      logger.warn({ err: error }, 'what was known of the logins cannot be read; they are checked anew');
      return this.#options.logins.map((login) => ({ login, dueAt: clock.now(), last: undefined }));
    });
    while (!signal.aborted) {
      try {
        await this.#look(signal);
        this.#trouble.end('the checks of the logins can be recorded again');
      } catch (error) {
        if (!signal.aborted)
          this.#trouble.tell(error, 'the checks of the logins cannot be recorded; it is tried again');
      }
      await this.#pause(LOOK_EVERY_MS, signal);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal).catch(() => {});
  }

  /** Logins of one label are told apart by their order. */
  async #recall(): Promise<Watched[]> {
    const { logins, record, clock } = this.#options;
    const known = await record.read();
    const now = clock.now();
    return logins.map((login) => {
      const index = known.findIndex(({ label }) => label === login.label);
      const [last] = index < 0 ? [] : known.splice(index, 1);
      const wasJustNow = last !== undefined && last.checkedAt <= now && now - last.checkedAt < AGAIN_MS;
      return { login, dueAt: wasJustNow ? last.checkedAt + AGAIN_MS : now, last };
    });
  }

  async #look(signal: AbortSignal): Promise<void> {
    let isNew = false;
    for (const watched of this.#watched) {
      const fingerprint = await watched.login.fingerprint();
      const isDue =
        watched.dueAt <= this.#options.clock.now() || (watched.last?.fingerprint ?? fingerprint) !== fingerprint;
      if (!isDue) continue;
      await this.#check(watched, fingerprint, signal);
      isNew = true;
    }
    if (isNew) await this.#save();
    await this.#tell();
  }

  async #check(watched: Watched, fingerprint: string, signal: AbortSignal): Promise<void> {
    const { origin, clock, random, everyMs, logger } = this.#options;
    const { login, last } = watched;
    const health = await login.check(origin, { now: clock.now(), signal });
    const checkedAt = clock.now();
    const isWell = health.kind === 'good' || health.kind === 'dying';
    const wait = isWell ? everyMs : Math.min(everyMs, AGAIN_MS);
    // Spread out, so that not all the world's services ask at the same time.
    const dueAt = checkedAt + wait * (0.9 + 0.2 * random());
    // Whoever was told when it ends need not wait for a day to hear that it has ended.
    const endsFirst = health.kind === 'dying' && health.until > checkedAt && health.until < dueAt;
    watched.dueAt = endsFirst ? health.until : dueAt;
    watched.last = { label: login.label, checkedAt, fingerprint, health, told: last?.told ?? null };
    if (health.kind !== last?.health.kind) log(logger, login.label, health);
  }

  /** What is to be told is seen from the record alone: what could not be told is told the next time. */
  async #tell(): Promise<void> {
    const { recorder, clock } = this.#options;
    for (const watched of this.#watched) {
      if (watched.last === undefined) continue;
      const news = newsOf(this.#factsOf(watched), watched.last, clock.now());
      if (news === undefined) continue;
      await recorder.record({ messages: [news.message] });
      watched.last = { ...watched.last, told: news.told };
      await this.#save();
    }
  }

  #factsOf({ login }: Watched): LoginFacts {
    const others = this.#watched.filter((other) => other.login !== login);
    return {
      label: login.label,
      howToRenew: login.howToRenew,
      others: others.map((other) => ({ label: other.login.label, health: other.last?.health })),
    };
  }

  async #save(): Promise<void> {
    await this.#options.record.write(this.#watched.flatMap(({ last }) => last ?? []));
  }
}

interface News {
  readonly message: Message;
  /** What a person knows from then on. */
  readonly told: CheckedLogin['told'];
}

/** What is to be told of a login, given what was told before. */
function newsOf(facts: LoginFacts, { health, told }: CheckedLogin, now: number): News | undefined {
  switch (health.kind) {
    case 'good':
      return told === null ? undefined : { message: loginBack(facts, health.until, now), told: null };
    case 'dying':
      return told === 'dying' ? undefined : { message: loginDying(facts, health.until, now), told: 'dying' };
    case 'dead':
      return told === 'dead' ? undefined : { message: loginDead(facts, health.detail, now), told: 'dead' };
    case 'unknown':
      return undefined;
  }
}

function log(logger: Logger, label: string, health: LoginHealth): void {
  switch (health.kind) {
    case 'good':
      logger.info({ login: label }, `${label} is good`);
      break;
    case 'dying':
      logger.warn({ login: label, until: new Date(health.until) }, `${label} is good, and about to end`);
      break;
    case 'dead':
      logger.warn({ login: label }, `${label} no longer works. ${health.detail}`);
      break;
    case 'unknown':
      logger.info({ login: label }, `${label} could not be checked. ${health.detail}`);
      break;
  }
}
