import type { Message } from './message.ts';

/** One message on its way to one service. */
export interface Delivery {
  readonly id: number;
  /** The id of the service. */
  readonly recipient: string;
  /** How often it was tried in vain. */
  readonly attempts: number;
  readonly message: Message;
}

/**
 * Where messages wait until they are delivered: a port, implemented by the journal, so that a message is recorded in one
 * transaction with what caused it. Whatever is said of several deliveries holds for all of them or for none.
 */
export interface Outbox {
  /**
   * What is to be sent at `now` (ms UTC) to the services of these ids, for each of them in the order of recording; the
   * first few hundred.
   */
  due(now: number, recipients: string[]): Promise<Delivery[]>;
  /** They have ended, at `at` (ms UTC): arrived, or not to be delivered any more. */
  delivered(deliveryIds: readonly number[], at: number): Promise<void>;
  /** They failed, and are due again at `until` (ms UTC). `error` is for people and holds no secret. */
  postponed(deliveryIds: readonly number[], until: number, error: string): Promise<void>;
  /** They were not tried, and are due at `until` (ms UTC). */
  held(deliveryIds: readonly number[], until: number): Promise<void>;
  /** When something is due for any of these services, ms UTC; undefined if nothing waits. */
  nextDue(recipients: string[]): Promise<number | undefined>;
}
