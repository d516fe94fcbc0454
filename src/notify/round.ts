import { DAY_MS } from '../lib/clock.ts';
import { sha256 } from '../lib/hash.ts';
import { asOf, digestOf, fold, LATE_AFTER_MS } from './digest.ts';
import type { Message } from './message.ts';
import type { Delivery } from './outbox.ts';
import { heldUntil, isWanted, type Wishes } from './wishes.ts';

/** By then, what a message tells is of no use any more, and `chatkeep status` tells how things are. */
export const GIVE_UP_AFTER_MS = 30 * DAY_MS;

const KEY_DIGITS = 32;

/** What is to be done with some of the deliveries that are due. */
export type Step =
  /** They are as good as delivered: not wanted at this address, out of date, or too old. */
  | { readonly kind: 'drop'; readonly deliveries: readonly Delivery[]; readonly isGivenUp: boolean }
  | { readonly kind: 'hold'; readonly deliveries: readonly Delivery[]; readonly until: number }
  /** All of them are delivered by this one message. */
  | {
      readonly kind: 'send';
      readonly deliveries: readonly Delivery[];
      readonly message: Message;
      readonly key: string;
    };

/**
 * What is to be done at `now` (ms UTC) with what is due for one address, in this order. Messages go one by one, as they
 * were recorded; where several have waited for long, they go as one.
 *
 * @param wishes of each entry of the configuration that names the address: what one of them wants is for the address
 */
export function stepsFor(due: readonly Delivery[], wishes: readonly Wishes[], now: number): Step[] {
  const { dropped, givenUp, held, toSend } = sorted(due, wishes, now);
  return [
    ...(dropped.length === 0 ? [] : [{ kind: 'drop', deliveries: dropped, isGivenUp: false } as const]),
    ...givenUp.map((delivery) => ({ kind: 'drop', deliveries: [delivery], isGivenUp: true }) as const),
    ...[...held].map(([until, deliveries]) => ({ kind: 'hold', deliveries, until }) as const),
    ...(isBacklog(toSend, now)
      ? backlogSteps(toSend, now)
      : toSend.map((delivery) => single(delivery, [delivery], now))),
  ];
}

function sorted(due: readonly Delivery[], wishes: readonly Wishes[], now: number) {
  const dropped: Delivery[] = [];
  const givenUp: Delivery[] = [];
  const held = new Map<number, Delivery[]>();
  const toSend: Delivery[] = [];
  for (const delivery of due) {
    const { message, attempts } = delivery;
    const wanting = wishes.filter((each) => isWanted(message, each));
    const until = earliest(wanting.map((each) => heldUntil(message, each, now)));
    if (wanting.length === 0) dropped.push(delivery);
    else if (attempts > 0 && now - message.at > GIVE_UP_AFTER_MS) givenUp.push(delivery);
    else if (until !== undefined) held.set(until, [...(held.get(until) ?? []), delivery]);
    else toSend.push(delivery);
  }
  return { dropped, givenUp, held, toSend };
}

/** Undefined, as one of the moments or for want of any, is at once. */
function earliest(moments: readonly (number | undefined)[]): number | undefined {
  const held = moments.filter((moment) => moment !== undefined);
  return held.length === 0 || held.length < moments.length ? undefined : Math.min(...held);
}

function isBacklog(deliveries: readonly Delivery[], now: number): boolean {
  return deliveries.some(({ message }) => now - message.at > LATE_AFTER_MS);
}

function backlogSteps(deliveries: readonly Delivery[], now: number): Step[] {
  const folded = fold(
    deliveries.map(({ message }) => message),
    now,
  );
  const [only, ...more] = deliveries.filter(({ message }) => folded.current.includes(message));
  if (only === undefined) return [{ kind: 'drop', deliveries, isGivenUp: false }];
  if (more.length === 0) return [single(only, deliveries, now)];
  return [{ kind: 'send', deliveries, message: digestOf(folded, now), key: keyOf(deliveries) }];
}

function single(delivery: Delivery, deliveries: readonly Delivery[], now: number): Step {
  return { kind: 'send', deliveries, message: asOf(delivery.message, now), key: keyOf([delivery]) };
}

/** The outbox numbers anew when the state directory was lost; with the messages' own facts, no two keys are the same. */
function keyOf(deliveries: readonly Delivery[]): string {
  const facts = deliveries.flatMap(({ id, recipient, message: { at, event, title } }) => [
    id,
    recipient,
    at,
    event,
    title,
  ]);
  return sha256(facts.join('\n')).slice(0, KEY_DIGITS);
}
