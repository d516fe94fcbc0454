import { HOUR_MS } from '../lib/clock.ts';
import type { MailboxTrouble } from './trouble.ts';
import type { MailboxState } from './watcher.ts';

/** A server that restarts, or a line that is down for a while, is nobody's business. */
const TOLD_AFTER_MS = HOUR_MS;

/** What a person should hear about a mailbox. Times in ms UTC. */
export type OutageNews =
  | { readonly kind: 'unreachable' | 'sign-in-refused'; readonly since: number; readonly trouble: MailboxTrouble }
  | { readonly kind: 'recovered'; readonly since: number };

interface Outage {
  /** When the mailbox was last seen to be well, or first seen to be not, ms UTC. */
  readonly since: number;
  /** What was told of it. */
  readonly told: 'unreachable' | 'sign-in-refused' | undefined;
}

/**
 * Tells what is worth telling of a mailbox's states, each once: that it cannot be used for an hour, at once that it
 * refuses the sign-in, and that it is back if one of these was told.
 */
export class OutageTracker {
  #outage: Outage | undefined;

  /** To be called at each change of state, and now and then in between. */
  look(state: MailboxState, now: number): OutageNews | undefined {
    switch (state.name) {
      case 'watching':
        return this.#end();
      case 'waiting':
        return this.#goOn(state.trouble, now);
      case 'connecting':
      case 'stopped':
        return undefined;
    }
  }

  #end(): OutageNews | undefined {
    const outage = this.#outage;
    this.#outage = undefined;
    return outage?.told === undefined ? undefined : { kind: 'recovered', since: outage.since };
  }

  #goOn(trouble: MailboxTrouble, now: number): OutageNews | undefined {
    this.#outage ??= { since: now, told: undefined };
    const { since, told } = this.#outage;
    const kind = trouble.kind === 'sign-in-refused' ? 'sign-in-refused' : 'unreachable';
    const isDue = kind === 'sign-in-refused' ? told !== kind : told === undefined && now - since >= TOLD_AFTER_MS;
    if (!isDue) return undefined;
    this.#outage = { since, told: kind };
    return { kind, since, trouble };
  }
}
