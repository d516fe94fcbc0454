import { DAY_MS } from '../lib/clock.ts';
import { count, formatMoment } from '../lib/text.ts';
import type { Message } from '../notify/index.ts';
import { rhythmFor } from './rhythm.ts';

/** The page of ChatGPT on which an export is asked for. */
export const DATA_CONTROLS = 'https://chatgpt.com/#settings/DataControls';

export interface AccountFacts {
  readonly account: string;
  /** When the newest export was made that is in the backup, ms UTC. */
  readonly newestAt: number;
  /** Undefined where it cannot be told. */
  readonly messagesPerWeek: number | undefined;
}

const RHYTHM_WORDS = { 7: 'every week', 14: 'every two weeks', 30: 'every month', 90: 'every three months' } as const;

/** An account's newest export has become old. `againMs`: when this is told again. */
export function noNewSnapshot(facts: AccountFacts, againMs: number, now: number): Message {
  const { account, newestAt, messagesPerWeek } = facts;
  const days = Math.floor((now - newestAt) / DAY_MS);
  return {
    event: 'no-new-snapshot',
    level: 'info',
    title: `No new ChatGPT export for ${count(days, 'day')}`,
    body: [
      `The newest export of ${account} in the backup was made at ${formatMoment(newestAt)}. What was written since then is in ChatGPT only.${growthSentence(facts, now)}`,
      ...steps(`signed in as the account of ${account}`),
      `You are reminded again in ${count(Math.round(againMs / DAY_MS), 'day')}, unless an export is on its way by then.`,
    ].join('\n'),
    at: now,
    data: {
      account,
      newestAt,
      days,
      messagesPerWeek: messagesPerWeek === undefined ? null : Math.round(messagesPerWeek),
    },
  };
}

/** There is no snapshot at all yet. */
export function noFirstSnapshot(againMs: number, now: number): Message {
  return {
    event: 'no-new-snapshot',
    level: 'info',
    title: 'Chatkeep is ready for your first ChatGPT export',
    body: [
      'All is set up, and there is no snapshot yet: nothing of your ChatGPT account is backed up so far. OpenAI makes an export only when you ask for it.',
      ...steps('signed in'),
      'Exports that you have on disk already are taken in by `chatkeep import FILE`.',
      `You are reminded again in ${count(Math.round(againMs / DAY_MS), 'day')}, unless an export is on its way by then.`,
    ].join('\n'),
    at: now,
    data: { account: null, newestAt: null, days: null, messagesPerWeek: null },
  };
}

/** `Your account grows by…`: undefined growth says nothing. */
function growthSentence({ newestAt, messagesPerWeek }: AccountFacts, now: number): string {
  if (messagesPerWeek === undefined) return '';
  const perWeek = Math.round(messagesPerWeek);
  if (perWeek === 0) return ' The account hardly grew lately, so there may be little to miss.';
  const missing = roundly((messagesPerWeek * (now - newestAt)) / (7 * DAY_MS));
  return ` At the pace of its last snapshots (${count(perWeek, 'message')} a week), that is about ${count(missing, 'message')}; an export ${RHYTHM_WORDS[rhythmFor(messagesPerWeek)]} would suit it.`;
}

/** To two digits: more would be pretended. */
function roundly(n: number): number {
  return Number(n.toPrecision(2));
}

function steps(signedIn: string): string[] {
  return [
    'What to do, in a minute:',
    `1. Open ${DATA_CONTROLS} in a browser that is ${signedIn} (Settings → Data controls).`,
    '2. At "Export data", choose Export, and confirm.',
    '3. That is all. OpenAI writes when the export is ready, within minutes or up to 7 days, and Chatkeep takes it from there.',
    "If you have done that and nothing came, look for OpenAI's email in spam, in folders that Chatkeep does not watch, and in your other mailboxes.",
  ];
}
