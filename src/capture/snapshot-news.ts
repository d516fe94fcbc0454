import { DAY_MS } from '../lib/clock.ts';
import { count, formatDuration, listed } from '../lib/text.ts';

/** What a snapshot holds that the one before of the same account, by the time of the export, does not. */
export type SnapshotNews =
  | { readonly kind: 'first' }
  /** All others are of later exports. */
  | { readonly kind: 'earliest' }
  | {
      readonly kind: 'compared';
      /** The snapshot that it was compared with. */
      readonly before: string;
      /** How much later this export was made, ms. */
      readonly sinceMs: number;
      readonly changes: Changes;
    };

/** How many there are; `noLongerCarried`: gone, being of kinds that the newer format does not hold. */
interface Changes {
  readonly conversations: {
    readonly added: number;
    readonly changed: number;
    readonly gone: number;
    readonly noLongerCarried: number;
  };
  readonly messages: { readonly added: number; readonly gone: number; readonly noLongerCarried: number };
  readonly files: { readonly added: number; readonly gone: number; readonly noLongerCarried: number };
}

/**
 * The news in a few sentences, what matters most first. In numbers: titles say a lot about a person.
 * @param isWhole whether all of the export was there and could be read; else what seems gone may not be
 */
export function newsSentences(news: SnapshotNews, account: string, isWhole: boolean): string {
  switch (news.kind) {
    case 'first':
      return `It is the first snapshot of ${account}.`;
    case 'earliest':
      return `It is the earliest snapshot of ${account}: all others are of later exports.`;
    case 'compared':
      return [changesSentence(news), ...goneSentence(news.changes, isWhole), ...formatSentence(news.changes)].join(' ');
  }
}

/** The news for machines; texts, numbers and null only. */
export function newsData(news: SnapshotNews): Record<string, string | number | null> {
  if (news.kind !== 'compared') return { previousSnapshot: null };
  const { conversations, messages, files } = news.changes;
  return {
    previousSnapshot: news.before,
    sincePreviousMs: news.sinceMs,
    conversationsAdded: conversations.added,
    conversationsChanged: conversations.changed,
    conversationsGone: conversations.gone,
    messagesAdded: messages.added,
    messagesGone: messages.gone,
    messagesNoLongerCarried: messages.noLongerCarried,
    filesAdded: files.added,
    filesGone: files.gone,
    filesNoLongerCarried: files.noLongerCarried,
  };
}

/** The news in half a line, for the log. */
export function newsLine(news: SnapshotNews): string {
  if (news.kind !== 'compared') return news.kind === 'first' ? 'the first snapshot' : 'the earliest snapshot';
  return changeWords(news.changes).join('; ') || 'nothing has changed';
}

function changesSentence({ sinceMs, changes }: SnapshotNews & { readonly kind: 'compared' }): string {
  const words = changeWords(changes);
  const before = `the snapshot before, ${formatGap(sinceMs)} earlier`;
  if (words.length === 0) return `Nothing has changed since ${before}.`;
  return `Since ${before}: ${words.join('; ')}.`;
}

function changeWords({ conversations, messages, files }: Changes): string[] {
  return [
    series('conversation', [
      [conversations.added, 'added'],
      [conversations.changed, 'changed'],
      [conversations.gone, 'gone'],
    ]),
    series('message', [
      [messages.added, 'added'],
      [messages.gone, 'gone'],
    ]),
    series('file', [
      [files.added, 'added'],
      [files.gone, 'gone'],
    ]),
  ].filter((words) => words !== '');
}

/** `9 conversations added, 5 changed, 2 gone`; of those that are none, nothing is said. */
function series(noun: string, all: readonly (readonly [number, string])[]): string {
  const [first, ...others] = all.filter(([n]) => n > 0);
  if (first === undefined) return '';
  const [n, what] = first;
  return [`${count(n, noun)} ${what}`, ...others.map(([m, then]) => `${m.toLocaleString('en-US')} ${then}`)].join(', ');
}

function goneSentence({ conversations, messages, files }: Changes, isWhole: boolean): string[] {
  if (conversations.gone + messages.gone + files.gone === 0) return [];
  return isWhole
    ? ['Earlier snapshots keep what is gone.']
    : ['What seems to be gone may be among what could not be read; earlier snapshots keep it.'];
}

/** Since May 2026 exports hold fewer kinds of messages and no generated images: that looks like a deletion, and is none. */
function formatSentence({ conversations, messages, files }: Changes): string[] {
  const kinds = [
    [conversations.noLongerCarried, 'conversation'],
    [messages.noLongerCarried, 'message'],
    [files.noLongerCarried, 'file'],
  ] as const;
  const all = kinds.filter(([n]) => n > 0).map(([n, noun]) => count(n, noun));
  if (all.length === 0) return [];
  const isOne = kinds.reduce((sum, [n]) => sum + n, 0) === 1;
  return [
    `OpenAI has changed the format of its exports: ${listed(all)} ${isOne ? 'is' : 'are'} no longer in them. Nobody has deleted ${isOne ? 'it, and earlier snapshots keep it' : 'these, and earlier snapshots keep them'}.`,
  ];
}

/** Between two exports it is days that count. */
function formatGap(ms: number): string {
  return ms < 2 * DAY_MS ? formatDuration(ms) : count(Math.round(ms / DAY_MS), 'day');
}
