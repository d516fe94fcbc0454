import type { Clock, Random } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Message } from './message.ts';
import type { Outbox } from './outbox.ts';
import { Recipient } from './recipient.ts';
import type { Subscription } from './wishes.ts';

export interface DispatcherOptions {
  readonly outbox: Outbox;
  readonly subscriptions: readonly Subscription[];
  /** Records a message about a service that fails, for the others. */
  readonly tellOthers: (message: Message) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Delivers the messages of the outbox, at least once each: to every service in the order of recording, and to all
 * services side by side, so that one that fails holds up no other. What fails is tried again, after 10 seconds at first
 * and then ever later, up to once an hour, until the message is 30 days old; what has gathered meanwhile goes as one.
 */
export class Dispatcher {
  readonly #recipients: readonly Recipient[];
  readonly #clock: Clock;
  readonly #logger: Logger;

  /** @param options of several subscriptions of the same address, each counts: a message goes there once if one wants it */
  constructor({ subscriptions, ...options }: DispatcherOptions) {
    const { clock, logger } = options;
    const byService = Map.groupBy(subscriptions, ({ service }) => service.id);
    this.#recipients = [...byService.values()].flatMap(([first, ...others]) => {
      if (first === undefined) return [];
      const wishes = [first, ...others].map((subscription) => subscription.wishes);
      return [new Recipient({ ...options, service: first.service, wishes })];
    });
    this.#clock = clock;
    this.#logger = logger;
  }

  /** There may be something new in the outbox. */
  wake(): void {
    for (const recipient of this.#recipients) recipient.wake();
  }

  /** Delivers whatever becomes due, until the signal aborts. Resolves then; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#recipients.map((recipient) => recipient.run(signal)));
  }

  /**
   * Delivers what is due now, each message tried once, for at most `timeLimitMs`: for commands that end, and for the
   * way out. What fails or is cut short stays in the outbox. Never rejects.
   */
  async flush(signal: AbortSignal, { timeLimitMs }: { timeLimitMs: number }): Promise<void> {
    const limit = new AbortController();
    const done = new AbortController();
    void this.#clock.sleep(timeLimitMs, done.signal).then(
      () => limit.abort(),
      () => {},
    );
    const limited = AbortSignal.any([signal, limit.signal]);
    const results = await Promise.allSettled(this.#recipients.map((recipient) => recipient.drain(limited)));
    done.abort();
    for (const result of results) {
      if (result.status === 'rejected') {
        this.#logger.error({ err: result.reason }, 'The notifications in the journal could not be read or written.');
      }
    }
  }
}
