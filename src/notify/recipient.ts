import { backoffMs } from '../lib/backoff.ts';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS, type Random, SECOND_MS } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { sha256 } from '../lib/hash.ts';
import type { Logger } from '../lib/logger.ts';
import { Mutex } from '../lib/mutex.ts';
import { redactText } from '../lib/secret.ts';
import { Alarm } from '../lib/wake.ts';
import type { Delivery, Outbox } from './outbox.ts';
import { DeliveryError, type Service } from './service.ts';

/** The first retries catch a restarting server; the last, one that is down for days, at little cost to it. */
const RETRIES = { firstMs: 10 * SECOND_MS, mostMs: HOUR_MS } as const;

/** By then, what a message tells is of no use any more, and `chatkeep status` tells how things are. */
const GIVE_UP_AFTER_MS = 7 * DAY_MS;

/** While the outbox itself cannot be read or written (a full disk), it is asked again this often. */
const OUTBOX_RETRY_MS = MINUTE_MS;

/** Without anything to wait for, the outbox is still looked at now and then. */
const IDLE_MS = HOUR_MS;

const LOG_AGAIN_AFTER_MS = DAY_MS;

const KEY_DIGITS = 32;

export interface RecipientOptions {
  readonly outbox: Outbox;
  readonly service: Service;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Brings the messages for one service to it, one at a time and in order. */
export class Recipient {
  readonly #outbox: Outbox;
  readonly #service: Service;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #alarm: Alarm;
  readonly #mutex = new Mutex();
  /** After a failure, later messages wait for the one that failed: they are sent in order. ms UTC. */
  #heldUntil = 0;
  /** When a failure was logged last, ms UTC; undefined while the service works. */
  #failureLoggedAt: number | undefined;

  constructor({ outbox, service, clock, random, logger }: RecipientOptions) {
    this.#outbox = outbox;
    this.#service = service;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#alarm = new Alarm(clock);
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
    await this.#mutex.run(async () => {
      while (!signal.aborted && this.#clock.now() >= this.#heldUntil) {
        const deliveries = await this.#outbox.due(this.#clock.now(), [this.#service.id]);
        if (deliveries.length === 0) return;
        for (const delivery of deliveries) {
          if (signal.aborted || !(await this.#deliver(delivery, signal))) return;
        }
      }
    });
  }

  /** Drains, and gives how long nothing is to be done then, in ms. */
  async #drainAndAsk(signal: AbortSignal): Promise<number> {
    try {
      await this.drain(signal);
      const next = await this.#outbox.nextDue([this.#service.id]);
      if (next === undefined) return IDLE_MS;
      return Math.max(next, this.#heldUntil) - this.#clock.now();
    } catch (error) {
      this.#logger.error({ err: error }, 'The notifications in the journal cannot be read or written; trying again.');
      return OUTBOX_RETRY_MS;
    }
  }

  /** Whether the next one may follow. */
  async #deliver(delivery: Delivery, signal: AbortSignal): Promise<boolean> {
    const { message, attempts, id } = delivery;
    if (attempts > 0 && this.#clock.now() - message.at > GIVE_UP_AFTER_MS) {
      this.#logger.error(
        { service: this.#service.label, event: message.event, attempts },
        `The notification "${message.title}" could not be delivered for 7 days and is given up.`,
      );
      await this.#outbox.delivered(id, this.#clock.now());
      return true;
    }
    try {
      await this.#service.send(message, { signal, key: keyOf(delivery) });
    } catch (error) {
      // Cut short by the stop of the service: not a failure, it is sent at the next start.
      if (!signal.aborted) await this.#postpone(delivery, error);
      return false;
    }
    await this.#outbox.delivered(id, this.#clock.now());
    this.#noteSuccess();
    return true;
  }

  async #postpone({ id, attempts }: Delivery, error: unknown): Promise<void> {
    const reason = error instanceof DeliveryError ? error.message : redactText(errorMessage(error));
    const now = this.#clock.now();
    this.#heldUntil = now + backoffMs(attempts + 1, RETRIES, this.#random);
    this.#noteFailure(reason, now);
    await this.#outbox.postponed(id, this.#heldUntil, reason);
  }

  #noteFailure(reason: string, now: number): void {
    if (this.#failureLoggedAt !== undefined && now - this.#failureLoggedAt < LOG_AGAIN_AFTER_MS) return;
    this.#failureLoggedAt = now;
    this.#logger.warn(
      { service: this.#service.label },
      `A notification could not be delivered: ${reason}. It is kept and tried again; backups go on.`,
    );
  }

  #noteSuccess(): void {
    if (this.#failureLoggedAt === undefined) return;
    this.#failureLoggedAt = undefined;
    this.#logger.info({ service: this.#service.label }, 'Notifications are delivered again.');
  }
}

/** The outbox numbers anew when the state directory was lost; with the message's own facts, no two are the same. */
function keyOf({ id, recipient, message: { at, event, title } }: Delivery): string {
  return sha256([recipient, id, at, event, title].join('\n')).slice(0, KEY_DIGITS);
}
