import type { Transport } from '../transport.ts';
import type { LoginHealth } from './health.ts';

/** Header fields that let a request pass as the signed-in user. The values are secrets: they go into the request only. */
export type LoginHeaders = Readonly<Record<string, string>>;

/** One way to be let in, as a login gives it for one address. */
export type LoginAnswer =
  | {
      readonly kind: 'headers';
      readonly headers: LoginHeaders;
      /** Where the login has a network of its own (a browser's), the request goes over that; else over ours. */
      readonly transport?: Transport;
    }
  /** A sentence that says what is wrong with it, without secrets: "The file … does not exist." */
  | { readonly kind: 'unusable'; readonly detail: string }
  /** Whether there is a further way could not be found out now, and why: the network. A sentence without secrets. */
  | { readonly kind: 'undecided'; readonly detail: string };

/** What a login is told of the request that it is asked for. */
export interface LoginContext {
  /** ms UTC */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** What logins are made with, each taking what it needs. */
export interface LoginParts {
  /** The guarded network, for what a login has to ask the server. */
  readonly transport: Transport;
}

/** One way of being signed in. Each has a file of its own. */
export interface Login {
  /** How messages call it: `the token in /run/secrets/chatgpt_token`. */
  readonly label: string;
  /** What a person does to renew it, in whole sentences: "Run `codex` once: it renews the file." */
  readonly howToRenew: string;
  /**
   * Its ways to be let in at `address`, best first. They are asked for one at a time, the next only after the server
   * has denied the one before; and anew for each request, so that a renewed login counts at once.
   *
   * @throws the signal's reason when it aborts, and nothing else
   */
  waysIn(address: URL, context: LoginContext): AsyncIterable<LoginAnswer>;
  /**
   * Whether it would be let in, found out before it is needed: by what can be read from it here, then by one harmless
   * request to `origin` (of a place that asks for logins).
   *
   * @throws the signal's reason when it aborts, and nothing else
   */
  check(origin: URL, context: LoginContext): Promise<LoginHealth>;
  /** Changes when the login has changed. Holds no secret. */
  fingerprint(): Promise<string>;
}
