import type { Message } from './message.ts';

/**
 * What a message is about: a capture, a login, a mailbox. Of several messages of one subject, the last tells how things
 * stand. Undefined for a message that stands for itself, as one about an email that was refused.
 */
export function subjectOf({ event, data }: Message): string | undefined {
  if (data.capture !== undefined) return `capture ${data.capture}`;
  if (data.login !== undefined) return `login ${data.login}`;
  if (data.service !== undefined) return `service ${data.service}`;
  if (data.disk !== undefined) return `disk ${data.disk}`;
  if (event === 'no-new-snapshot') return `reminder of ${data.account}`;
  if (event === 'overdue') return `awaited in ${data.mailbox}`;
  if ((event === 'trouble' || event === 'recovered') && data.mailbox !== undefined) return `mailbox ${data.mailbox}`;
  return undefined;
}
