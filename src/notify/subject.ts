import type { Message } from './message.ts';

/**
 * What a message is about: a capture, a login, a mailbox. Undefined for a message that stands for itself, as one about an email that was refused.
 */
export function subjectOf({ event, data }: Message): string | undefined {
  if (data.capture !== undefined) return `capture ${data.capture}`;
  if (data.login !== undefined) return `login ${data.login}`;
  if (data.service !== undefined) return `service ${data.service}`;
  if (data.disk !== undefined) return `disk ${data.disk}`;
  if (data.offsite !== undefined) return `off-site copy ${data.offsite}`;
  if (data.verification !== undefined) return 'verification';
  if (event === 'no-new-snapshot') return `reminder of ${data.account}`;
  if (event === 'overdue') return `awaited in ${data.mailbox}`;
  if ((event === 'trouble' || event === 'recovered') && data.mailbox !== undefined) return `mailbox ${data.mailbox}`;
  return undefined;
}

/**
 * Whether the earlier message is out of date once the later one is told: of several about one subject, the last tells how
 * things stand. Only of damage each message tells what was found since the one before, until all is sound again; and
 * whoever has got an export is not to be reminded of one.
 */
export function supersedes(later: Message, earlier: Message): boolean {
  const isKept = later.event === 'snapshot-committed' || later.event === 'unchanged';
  if (earlier.event === 'no-new-snapshot' && isKept) {
    return earlier.data.account === null || earlier.data.account === later.data.account;
  }
  const subject = subjectOf(earlier);
  if (subject === undefined || subject !== subjectOf(later)) return false;
  return !(earlier.event === 'verification-failed' && later.event === 'verification-failed');
}
