import type { Clock, Random } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Outbox } from './outbox.ts';
import { Recipient } from './recipient.ts';
import type { Service } from './service.ts';

export interface DispatcherOptions {
  readonly outbox: Outbox;
  readonly services: readonly Service[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Delivers the messages of the outbox, at least once each: to every service in the order of recording, and to all
 * services side by side, so that one that fails holds up no other. What fails is tried again, after 10 seconds at first
 * and then ever later, up to once an hour, until the message is 7 days old.
 */
export class Dispatcher {
  readonly #recipients: readonly Recipient[];
  readonly #clock: Clock;
  readonly #logger: Logger;

  /** @param options services of the same address count once */
  constructor({ outbox, services, clock, random, logger }: DispatcherOptions) {
    const distinct = new Map(services.map((service) => [service.id, service]));
    this.#recipients = [...distinct.values()].map(
      (service) => new Recipient({ outbox, service, clock, random, logger }),
    );
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
