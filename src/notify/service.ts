import type { Fetch } from './fetch.ts';
import type { Message } from './message.ts';

export interface SendOptions {
  readonly signal: AbortSignal;
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

/** A message could not be sent. The text is for people and holds no secret. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
}
