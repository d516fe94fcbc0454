import type { Fetch } from './fetch.ts';
import type { Message } from './message.ts';

export interface SendOptions {
  readonly signal: AbortSignal;
  /**
   * The same for each attempt to deliver the same message to the same service, and for no other: letters, digits and
   * hyphens. By it, a service that can do so tells a repeated message from a new one.
   */
  readonly key: string;
  /** For services that speak HTTP; undici's unless told. */
  readonly fetch?: Fetch;
}

/** One place that messages are sent to. */
export interface Service {
  /** The same for the same address, for ever: the journal knows the service by it. Tells nothing of the address. */
  readonly id: string;
  /** For logs and people: `ntfy at ntfy.sh`. Holds no secret. */
  readonly label: string;
  /**
   * Sends a message once, within a time limit.
   * @throws DeliveryError whose message names the service and the reason, and no secret; the signal's reason on abort
   */
  send(message: Message, options: SendOptions): Promise<void>;
}

/** A service without its id, as the files of services/ make it from an address. */
export type Destination = Omit<Service, 'id'>;

/** When and how often it is worth trying again. */
export interface RetryAdvice {
  /** Not before so many ms have passed: the service asked for that. */
  readonly retryAfterMs?: number | undefined;
  /** After so many attempts that ended in this way, the message counts as dealt with. */
  readonly mostAttempts?: number | undefined;
}

/** A message could not be sent. The text is for people and holds no secret. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly retry: RetryAdvice;

  constructor(message: string, retry: RetryAdvice = {}) {
    super(message);
    this.retry = retry;
  }
}
