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
 * transaction with what caused it.
 */
export interface Outbox {
  /** What is to be sent at `now` (ms UTC) to the services of these ids, for each of them in the order of recording. */
  due(now: number, recipients: string[]): Promise<Delivery[]>;
  /** The delivery has ended, at `at` (ms UTC): it arrived, or it was given up as too old. */
  delivered(deliveryId: number, at: number): Promise<void>;
  /** It failed, and is due again at `until` (ms UTC). `error` is for people and holds no secret. */
  postponed(deliveryId: number, until: number, error: string): Promise<void>;
  /** When something is due for any of these services, ms UTC; undefined if nothing waits. */
  nextDue(recipients: string[]): Promise<number | undefined>;
}
