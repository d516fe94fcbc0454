import { formatDuration, formatMoment } from '../lib/text.ts';
import type { Message } from './message.ts';
import type { Service } from './service.ts';

/** What the other addresses are told of one that cannot be reached. `since`: ms UTC. */
export function serviceFailing({ id, label }: Service, since: number, reason: string, now: number): Message {
  return {
    event: 'notifications-failing',
    level: 'warning',
    title: 'Notifications do not arrive at one of your addresses',
    body: [
      `Since ${formatMoment(since)}, nothing could be delivered by ${label}: ${reason}.`,
      'Backups go on, and what is to be told is kept: it is delivered when the service is back, in one message. This address gets everything as before.',
      'What to do: look whether the service runs, and whether the address under notify is still right. `chatkeep notify test` tries it out.',
    ].join('\n'),
    at: now,
    data: { service: id, label, since, reason },
  };
}

/** It works again. */
export function serviceBack({ id, label }: Service, since: number, now: number): Message {
  return {
    event: 'recovered',
    level: 'info',
    title: 'Notifications arrive again',
    body: `What was kept for ${label} has been delivered, after ${formatDuration(now - since)}. Nothing is left to do.`,
    at: now,
    data: { service: id, label, since },
  };
}

/** Whether a message tells of this very service, which it therefore cannot be brought to. */
export function tellsOf({ event, data }: Message, serviceId: string): boolean {
  return (event === 'notifications-failing' || event === 'recovered') && data.service === serviceId;
}
