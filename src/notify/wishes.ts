import { HOUR_MS } from '../lib/clock.ts';
import { endOfQuiet, type QuietHours } from '../lib/quiet-hours.ts';
import { isAtLeast } from './level.ts';
import type { Message, NotificationEvent } from './message.ts';
import type { Service } from './service.ts';

/** What is to be brought to one address, and when. */
export interface Wishes {
  /** All unless told. */
  readonly events?: readonly NotificationEvent[] | undefined;
  readonly minLevel?: Message['level'] | undefined;
  readonly quietHours?: QuietHours | undefined;
}

/** A service, and what is to be brought to it. */
export interface Subscription {
  readonly service: Service;
  readonly wishes: Wishes;
}

/** Whoever can do something needs a moment for it after the night. */
const TIME_TO_ACT_MS = HOUR_MS;

/** Whether a message is for this address. Who was told of trouble is told that it is over, too. */
export function isWanted(message: Message, { events, minLevel }: Wishes): boolean {
  // A digest is made of what is wanted.
  if (message.event === 'test' || message.event === 'digest') return true;
  if (events !== undefined && !events.includes(message.event)) return false;
  const level = message.event === 'recovered' && message.level === 'info' ? 'warning' : message.level;
  return minLevel === undefined || isAtLeast(level, minLevel);
}

/**
 * Until when a message is to be held back for the sake of quiet hours, ms UTC; undefined: it may go at `now`. What
 * cannot wait, since its deadline passes in the quiet hours or right after them, goes at once.
 */
export function heldUntil({ event, level, data }: Message, { quietHours }: Wishes, now: number): number | undefined {
  if (quietHours === undefined || event === 'test') return undefined;
  const end = endOfQuiet(quietHours, now);
  if (end === undefined) return undefined;
  const isUrgent =
    isAtLeast(level, 'warning') &&
    typeof data.deadline === 'number' &&
    data.deadline > now &&
    data.deadline < end + TIME_TO_ACT_MS;
  return isUrgent ? undefined : end;
}
