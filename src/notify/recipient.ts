import { backoffMs } from '../lib/backoff.ts';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS, type Random, SECOND_MS } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Mutex } from '../lib/mutex.ts';
import { redactText } from '../lib/secret.ts';
import { Alarm } from '../lib/wake.ts';
import { serviceBack, serviceFailing } from './failing.ts';
import type { Message } from './message.ts';
import type { Delivery, Outbox } from './outbox.ts';
import { type Step, stepsFor } from './round.ts';
import { DeliveryError, type Service } from './service.ts';
import type { Wishes } from './wishes.ts';

/** The first retries catch a restarting server; the last, one that is down for days, at little cost to it. */
const RETRIES = { firstMs: 10 * SECOND_MS, mostMs: HOUR_MS } as const;

/** While the outbox itself cannot be read or written (a full disk), it is asked again this often. */
const OUTBOX_RETRY_MS = MINUTE_MS;

/** Without anything to wait for, the outbox is still looked at now and then. */
const IDLE_MS = HOUR_MS;

const LOG_AGAIN_AFTER_MS = DAY_MS;

/** Until then, it may be a restart. */
const TELL_OTHERS_AFTER_MS = HOUR_MS;

export interface RecipientOptions {
  readonly outbox: Outbox;
  readonly service: Service;
  /** Of each entry of the configuration that names the service; one at least. */
  readonly wishes: readonly Wishes[];
  /** Brings a message about this service to the others. */
  readonly tellOthers: (message: Message) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A service does not work: since when, when that was logged last, and whether the others were told; ms UTC. */
interface Failure {
  readonly since: number;
  readonly loggedAt: number;
  readonly isTold: boolean;
}

/** Brings the messages for one service to it, one at a time and in order. */
export class Recipient {
  readonly #options: RecipientOptions;
  readonly #alarm: Alarm;
  readonly #mutex = new Mutex();
  /** After a failure, later messages wait for the one that failed: they are sent in order. ms UTC. */
  #heldUntil = 0;
  #failure: Failure | undefined;

  constructor(options: RecipientOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** There may be something new in the outbox. */
  wake(): void {
    this.#alarm.wake();
  }

  /** Delivers whatever becomes due, until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await this.#drainAndAsk(signal);
      await this.#alarm.sleep(waitMs, signal);
    }
  }

  /**
   * Delivers what is due, in order, until nothing is left, a delivery fails, or the signal aborts.
   * @throws what the outbox throws
   */
  async drain(signal: AbortSignal): Promise<void> {
    const { outbox, service, wishes, clock } = this.#options;
    await this.#mutex.run(async () => {
      while (!signal.aborted && clock.now() >= this.#heldUntil) {
        const due = await outbox.due(clock.now(), [service.id]);
        if (due.length === 0) return;
        for (const step of stepsFor(due, wishes, clock.now())) {
          if (signal.aborted || !(await this.#take(step, signal))) return;
        }
      }
    });
  }

  /** Drains, and gives how long nothing is to be done then, in ms. */
  async #drainAndAsk(signal: AbortSignal): Promise<number> {
    const { outbox, service, clock, logger } = this.#options;
    try {
      await this.drain(signal);
      const next = await outbox.nextDue([service.id]);
      if (next === undefined) return IDLE_MS;
      return Math.max(next, this.#heldUntil) - clock.now();
    } catch (error) {
      logger.error({ err: error }, 'The notifications in the journal cannot be read or written; trying again.');
      return OUTBOX_RETRY_MS;
    }
  }

  /** Whether the next step may follow. */
  async #take(step: Step, signal: AbortSignal): Promise<boolean> {
    const { outbox, clock } = this.#options;
    const ids = step.deliveries.map(({ id }) => id);
    switch (step.kind) {
      case 'drop':
        if (step.isGivenUp) this.#logGivenUp(step.deliveries, 'for 30 days');
        await outbox.delivered(ids, clock.now());
        return true;
      case 'hold':
        await outbox.held(ids, step.until);
        return true;
      case 'send':
        return this.#send(step, ids, signal);
    }
  }

  async #send(step: Step & { kind: 'send' }, ids: readonly number[], signal: AbortSignal): Promise<boolean> {
    const { outbox, service, clock, logger } = this.#options;
    try {
      await service.send(step.message, { signal, key: step.key });
    } catch (error) {
      // Cut short by the stop of the service: not a failure, it is sent at the next start.
      if (!signal.aborted) await this.#fail(step.deliveries, ids, error);
      return false;
    }
    await outbox.delivered(ids, clock.now());
    await this.#noteSuccess();
    const { event, title, data } = step.message;
    const about = data.capture === undefined ? {} : { capture: data.capture };
    logger.info({ ...about, event, service: service.label }, `told ${service.label}: ${title}`);
    return true;
  }

  async #fail(deliveries: readonly Delivery[], ids: readonly number[], error: unknown): Promise<void> {
    const { outbox, clock, random } = this.#options;
    const reason = error instanceof DeliveryError ? error.message : redactText(errorMessage(error));
    const { retryAfterMs = 0, mostAttempts = Number.POSITIVE_INFINITY } =
      error instanceof DeliveryError ? error.retry : {};
    const tried = deliveries.map(({ attempts }) => attempts + 1);
    const now = clock.now();
    if (Math.min(...tried) >= mostAttempts) {
      this.#logGivenUp(deliveries, `in ${mostAttempts} attempts (${reason})`);
      await outbox.delivered(ids, now);
      return;
    }
    this.#heldUntil = now + Math.max(retryAfterMs, backoffMs(Math.max(...tried), RETRIES, random));
    await outbox.postponed(ids, this.#heldUntil, reason);
    await this.#noteFailure(reason, deliveries, now);
  }

  /** Told in the log at once and then daily, and once by the other services. */
  async #noteFailure(reason: string, deliveries: readonly Delivery[], now: number): Promise<void> {
    const { service, tellOthers, logger } = this.#options;
    const failure = this.#failure ?? newFailure(deliveries, now);
    const isLogDue = now - failure.loggedAt >= LOG_AGAIN_AFTER_MS;
    const isTellingDue = !failure.isTold && now - failure.since >= TELL_OTHERS_AFTER_MS;
    this.#failure = {
      since: failure.since,
      loggedAt: isLogDue ? now : failure.loggedAt,
      isTold: failure.isTold || isTellingDue,
    };
    if (isLogDue) {
      logger.warn(
        { service: service.label },
        `A notification could not be delivered: ${reason}. It is kept and tried again; backups go on.`,
      );
    }
    if (isTellingDue) await tellOthers(serviceFailing(service, failure.since, reason, now));
  }

  async #noteSuccess(): Promise<void> {
    const { service, tellOthers, clock, logger } = this.#options;
    const failure = this.#failure;
    if (failure === undefined) return;
    this.#failure = undefined;
    logger.info({ service: service.label }, 'Notifications are delivered again.');
    if (failure.isTold) await tellOthers(serviceBack(service, failure.since, clock.now()));
  }

  #logGivenUp(deliveries: readonly Delivery[], how: string): void {
    const { service, logger } = this.#options;
    for (const { message, attempts } of deliveries) {
      logger.error(
        { service: service.label, event: message.event, attempts },
        `The notification "${message.title}" could not be delivered ${how} and is given up.`,
      );
    }
  }
}

/** What was tried in vain by a process before this one was told by that one if it was long ago. */
function newFailure(deliveries: readonly Delivery[], now: number): Failure {
  const triedBefore = deliveries.filter(({ attempts }) => attempts > 0).map(({ message }) => message.at);
  const since = Math.min(now, ...triedBefore);
  return { since, loggedAt: Number.NEGATIVE_INFINITY, isTold: now - since > TELL_OTHERS_AFTER_MS };
}
