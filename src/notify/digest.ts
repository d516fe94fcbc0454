import { MINUTE_MS } from '../lib/clock.ts';
import { count, formatMoment, formatTimeLeft } from '../lib/text.ts';
import { LEVELS, SIGNS } from './level.ts';
import type { Message } from './message.ts';
import { supersedes } from './subject.ts';

/** From then on, what a message says of the time left is no longer true, and several are told in one. */
export const LATE_AFTER_MS = 10 * MINUTE_MS;

const MOST_LINES = 50;
const MOST_IN_FULL = 20;

/** What is left of messages that wait, in the order of recording. */
export interface Folded {
  readonly current: readonly Message[];
  /** How many are out of date: something later was told of the same, or their deadline has passed. */
  readonly outdated: number;
}

/** Leaves out what is out of date at `now` (ms UTC). */
export function fold(messages: readonly Message[], now: number): Folded {
  const current = messages.filter(
    (message, index) => !isOver(message, now) && !messages.slice(index + 1).some((later) => supersedes(later, message)),
  );
  return { current, outdated: messages.length - current.length };
}

/** Reminders of a link that has died since: that it has is told by another message. */
function isOver({ event, data }: Message, now: number): boolean {
  return (event === 'needs-login' || event === 'trouble') && typeof data.deadline === 'number' && data.deadline <= now;
}

/** The message as it is told at `now` (ms UTC): one that comes late says so, and how much time is left really. */
export function asOf(message: Message, now: number): Message {
  if (now - message.at <= LATE_AFTER_MS) return message;
  const { deadline } = message.data;
  const left =
    typeof deadline === 'number' && deadline > now ? ` By now, ${formatTimeLeft(deadline - now)} are left.` : '';
  return { ...message, body: `(Written at ${formatMoment(message.at)}, and delivered later.${left})\n${message.body}` };
}

/**
 * Several messages in one: first what there is, a line each, the most important first; then each in full.
 * @param outdated how many were left out
 */
export function digestOf({ current, outdated }: Folded, now: number): Message {
  const byImportance = current
    .toReversed()
    .toSorted((a, b) => LEVELS.indexOf(b.level) - LEVELS.indexOf(a.level) || b.at - a.at);
  const lines = byImportance
    .slice(0, MOST_LINES)
    .map(({ level, title, at }) => `${SIGNS[level]} ${formatMoment(at)}: ${title}`);
  const more = byImportance.length - lines.length;
  const inFull = byImportance.slice(0, MOST_IN_FULL).map((message) => {
    const { title, body } = asOf(message, now);
    return `${title}\n${body}`;
  });
  return {
    event: 'digest',
    level: byImportance[0]?.level ?? 'info',
    title: `${count(current.length, 'message')} about your ChatGPT backup`,
    body: [
      [
        'These were held back, or could not be delivered before.',
        ...(outdated === 0 ? [] : [`${count(outdated, 'other was', 'others were')} left out, being out of date.`]),
      ].join(' '),
      [...lines, ...(more > 0 ? [`… and ${more} more, see \`chatkeep status\``] : [])].join('\n'),
      ...inFull,
    ].join('\n\n'),
    at: now,
    data: { messages: current.length, outdated, from: Math.min(...current.map(({ at }) => at)) },
  };
}
