import * as z from 'zod';
import { NOTIFICATION_EVENTS } from '../config/index.ts';

/** What a message to people is about. */
export const notificationEventSchema = z.enum(NOTIFICATION_EVENTS);

/**
 * A message to people, as it lies in the journal and as a webhook gets it (docs/reference/notifications.md): what
 * happened, what it means for the backup, what to do, by when. It holds no link, no login and no conversation title.
 */
export const messageSchema = z.object({
  event: notificationEventSchema,
  /** How much it matters: services turn it into priorities and signs. */
  level: z.enum(['info', 'success', 'warning', 'failure']),
  /** One line. */
  title: z.string(),
  /** Plain text, of one or more lines. */
  body: z.string(),
  /** When it happened, ms UTC. */
  at: z.number(),
  /** The same for machines: ids, times in ms UTC, sizes in bytes. */
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export type NotificationEvent = z.output<typeof notificationEventSchema>;
export type Message = Readonly<z.output<typeof messageSchema>>;
