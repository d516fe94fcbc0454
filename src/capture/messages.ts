import { DAY_MS, MINUTE_MS } from '../lib/clock.ts';
import { printable } from '../lib/printable.ts';
import { count, formatBytes, formatDuration, formatMoment, formatTimeLeft, listed } from '../lib/text.ts';
import type { Message } from '../notify/index.ts';
import { type Capture, deadlineOf, type FileOrigin, lacksArchive, type Trouble } from './capture.ts';
import { newsData, newsSentences, type SnapshotNews } from './snapshot-news.ts';

/** What people are told: what happened, what it means for the backup, what to do, by when. No titles, no links. */

export interface SnapshotFacts {
  readonly account: string;
  /** When the export was made, ms UTC. */
  readonly exportTime: number;
  readonly files: number;
  readonly bytes: number;
  readonly archiveBytes: number;
  /** Files that are hard links to an earlier snapshot's. */
  readonly unchangedFiles: number;
  /** From the moment the export was found until it was committed, ms. */
  readonly tookMs: number;
  /** What was counted in the export, by the names of snapshot.json; empty where it could not be read. */
  readonly counts: Readonly<Record<string, number>>;
  /** Undefined where it could not be found out. */
  readonly news: SnapshotNews | undefined;
}

/** Of an export that holds the very files of a snapshot. */
export interface UnchangedFacts {
  /** The snapshot's id, and when its export was made, ms UTC. */
  readonly snapshot: string;
  readonly since: number;
  readonly account: string;
  /** When this export was made, ms UTC. */
  readonly exportTime: number;
  readonly files: number;
  readonly bytes: number;
  /** What was counted in the snapshot, by the names of snapshot.json. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Of exports that were asked for and have not come. */
export interface OverdueFacts {
  /** When they were asked for, ms UTC, oldest first; at least one. */
  readonly asked: readonly number[];
  /** The folders that were searched for the email. */
  readonly folders: readonly string[];
  /** Whether nothing more is told of it. */
  readonly isLast: boolean;
}

/** What a person can be pointed to when the link will not do. */
export interface WaysOut {
  /** The drop folder, if there is one. */
  readonly dropDir: string | undefined;
}

/** By OpenAI's help centre (shared facts: "The export-ready email and its link"). */
const MOST_PREPARATION_MS = 7 * DAY_MS;

const NEW_EXPORT_HOW =
  'Ask for a new one in ChatGPT: Settings → Data controls → Export data. Chatkeep takes it from there.';

/** A snapshot was committed. */
export function committed(capture: Capture, snapshot: string, facts: SnapshotFacts, now: number): Message {
  const unchanged =
    facts.unchangedFiles === 0
      ? ''
      : ` ${count(facts.unchangedFiles, 'file is', 'files are')} the same as in the snapshot before and take no room.`;
  const gaps = gapsIn(facts.counts);
  const isWhole = gaps.length === 0;
  return {
    event: 'snapshot-committed',
    level: isWhole ? 'success' : 'warning',
    title: isWhole ? 'ChatGPT backup done' : 'ChatGPT backup done, but something in the export is amiss',
    body: [
      `The export of ${formatMoment(facts.exportTime)} is kept as ${snapshot}: ${contents(facts)}, every file checked.${unchanged}`,
      ...(facts.news === undefined ? [] : [newsSentences(facts.news, facts.account, isWhole)]),
      `${tookSentence(capture, facts)}${isWhole ? ' Nothing is left to do.' : ''}`,
      ...(isWhole ? [] : [amiss(gaps)]),
    ].join('\n'),
    at: now,
    data: {
      capture: capture.id,
      snapshot,
      account: facts.account,
      files: facts.files,
      bytes: facts.bytes,
      archiveBytes: facts.archiveBytes,
      unchangedFiles: facts.unchangedFiles,
      tookMs: facts.tookMs,
      waitedMs: capture.waitedMs,
      ...facts.counts,
      ...(facts.news === undefined ? {} : newsData(facts.news)),
    },
  };
}

/** Who was waited for knows that it took long; what the work took is another matter. */
function tookSentence({ waitedMs }: Capture, { tookMs }: SnapshotFacts): string {
  const took = `It took ${formatDuration(Math.max(0, tookMs - waitedMs))}`;
  return waitedMs < MINUTE_MS
    ? `${took}.`
    : `${took}, not counting the ${formatDuration(waitedMs)} that it had to wait.`;
}

/** `412 conversations with 9,801 messages in 1,234 files, 1.8 GB` */
function contents({ counts, files, bytes }: SnapshotFacts): string {
  const { conversations, messages } = counts;
  const size = `${count(files, 'file')}, ${formatBytes(bytes)}`;
  if (conversations === undefined || messages === undefined) return size;
  return `${count(conversations, 'conversation')} with ${count(messages, 'message')} in ${size}`;
}

/** What an export lacks, as far as it tells: in numbers, since names of files may say a lot about a person. */
function gapsIn(counts: SnapshotFacts['counts']): string[] {
  const gaps: readonly (readonly [string, (n: number) => string])[] = [
    [
      'incompleteFiles',
      (n) => `${count(n, 'file')} that its own list names ${n === 1 ? 'is' : 'are'} missing or of another size`,
    ],
    ['unreadFiles', (n) => `${count(n, 'file')} with conversations could not be read, or not in full`],
    ['unreadConversations', (n) => `${count(n, 'conversation')} could not be read`],
    ['unreadMessages', (n) => `${count(n, 'message')} could not be read`],
  ];
  return gaps.flatMap(([name, sentence]) => ((counts[name] ?? 0) > 0 ? [sentence(counts[name] ?? 0)] : []));
}

function amiss(gaps: readonly string[]): string {
  return [
    `Not all of it is as it should be: ${gaps.join('; ')}.`,
    `All that came is kept as it came; .chatkeep/snapshot.json in the snapshot names the places. A new export may be whole. ${NEW_EXPORT_HOW} If that one is the same, OpenAI may have changed the format: look for a newer Chatkeep.`,
  ].join('\n');
}

function stillAmiss(gaps: readonly string[]): string {
  return [
    `Not all of it is as it should be: ${gaps.join('; ')}.`,
    'It was the same before, so that a further export will hardly be whole: OpenAI may have changed the format. All that came is kept as it came. Nothing is to be done now; look for a newer Chatkeep.',
  ].join('\n');
}

/**
 * The export was kept before. Told only for a file that somebody put in; a second mail for the same export is nothing
 * that a person has to know.
 */
export function duplicate(capture: Capture & { readonly origin: FileOrigin }, of: string, now: number): Message;
export function duplicate(capture: Capture, of: string, now: number): Message | undefined;
export function duplicate(capture: Capture, of: string, now: number): Message | undefined {
  if (capture.origin.kind === 'notice') return undefined;
  return {
    event: 'duplicate',
    level: 'info',
    title: 'This ChatGPT export was kept before',
    body: `${capture.origin.name} holds an export that is kept as the snapshot ${of} already, so no second one was made. Nothing is left to do.`,
    at: now,
    data: { capture: capture.id, snapshot: of, file: capture.origin.name },
  };
}

/** Another export, and nothing in it has changed: somebody asked for it, and waits for its snapshot. */
export function unchanged(capture: Capture, facts: UnchangedFacts, now: number): Message {
  const { snapshot, since, account, exportTime, files, bytes } = facts;
  const gaps = gapsIn(facts.counts);
  const isLater = exportTime >= since;
  return {
    event: 'unchanged',
    level: gaps.length === 0 ? 'success' : 'warning',
    title: `ChatGPT backup done: ${isLater ? 'nothing has changed' : 'nothing new in this export'}${gaps.length === 0 ? '' : ', and the same is amiss as before'}`,
    body: [
      `The export of ${formatMoment(exportTime)} holds exactly what the snapshot ${snapshot} holds: the same ${count(files, 'file')}, ${formatBytes(bytes)}, each compared and sound.`,
      `${isLater ? `Nothing has changed since ${formatMoment(since)}, so` : 'So'} no second snapshot was made${gaps.length === 0 ? ', and the backup is complete. Nothing is left to do.' : `.\n${stillAmiss(gaps)}`}`,
    ].join(' '),
    at: now,
    data: { capture: capture.id, snapshot, account, since, exportTime, files, bytes, ...facts.counts },
  };
}

/** The server wants a signed-in user: told when that is found out, and again as the deadline comes near. */
export function needsLogin(capture: Capture, trouble: Trouble, ways: WaysOut, now: number): Message {
  const deadline = deadlineOf(capture) ?? now;
  return {
    event: 'needs-login',
    level: 'warning',
    title: `ChatGPT export waits for a login, ${formatTimeLeft(deadline - now)} left`,
    body: [
      `An export is ready, but OpenAI gives it only to a signed-in user, and Chatkeep was not let in.`,
      deadlineSentence(deadline, now),
      '',
      'Until then, either of these saves it:',
      '- Sign in again with `chatkeep login chatgpt`, or renew the login that Chatkeep uses (download.logins in the configuration). The export is then fetched at once.',
      `- Or ${inBrowser(capture)}, and ${handInHow(ways)}.`,
      '',
      `${triedSentence(trouble)} ${nextWord(trouble, deadline)}`,
    ].join('\n'),
    at: now,
    data: { capture: capture.id, ...urgency(deadline, now), attempts: trouble.attempts },
  };
}

/** The link died before the export could be fetched. */
export function expired(capture: Capture, ways: WaysOut, now: number): Message {
  const deadline = deadlineOf(capture) ?? now;
  if (capture.foundAt >= deadline) return foundDead(capture, deadline, ways, now);
  return {
    event: 'expired',
    level: 'failure',
    title: 'A ChatGPT export was lost: its link has died',
    body: [
      `The link died at ${formatMoment(deadline)} before the export could be fetched (${theEmail(capture)}). This export is not in the backup; earlier snapshots are untouched.`,
      ...lastTried(capture),
      '',
      `If you downloaded it in a browser in time, nothing is lost: ${handInHow(ways)}.`,
      'Otherwise ask for a new export:',
      ...(capture.trouble?.kind === 'login'
        ? ['- First sign in again with `chatkeep login chatgpt`, or the next export waits in the same way.']
        : []),
      '- In ChatGPT, open Settings → Data controls → Export data → Export, and confirm.',
      '- OpenAI sends an email with a new link, within minutes or up to 7 days. Chatkeep takes it from there.',
    ].join('\n'),
    at: now,
    data: { capture: capture.id, deadline, attempts: capture.trouble?.attempts ?? null },
  };
}

/** The link was dead when its email was found: at the first start, perhaps, and the export may have been saved by hand. */
function foundDead(capture: Capture, deadline: number, ways: WaysOut, now: number): Message {
  return {
    event: 'expired',
    level: 'warning',
    title: 'An email with a dead export link was found',
    body: `Its link died at ${formatMoment(deadline)}, before Chatkeep saw the email, so this export cannot be fetched any more. If you saved it yourself, ${handInHow(ways)}. Otherwise: ${NEW_EXPORT_HOW}`,
    at: now,
    data: { capture: capture.id, deadline },
  };
}

/** The archive is unsafe, broken or gone. `retryAt` (ms UTC): when the export is fetched by its link. */
export function archiveRefused(
  capture: Capture,
  detail: string,
  kept: string | undefined,
  retryAt: number | undefined,
  now: number,
): Message {
  const next =
    retryAt === undefined
      ? `This export is not in the backup; earlier snapshots are untouched. ${capture.origin.kind === 'file' ? 'If you have another copy of the file, hand that one in. ' : ''}${NEW_EXPORT_HOW}`
      : `The link lives until ${formatMoment(deadlineOf(capture) ?? retryAt)}; the export is fetched by it at ${formatMoment(retryAt)}. Nothing is to be done now.`;
  return {
    event: 'refused-archive',
    level: retryAt === undefined ? 'failure' : 'warning',
    title: 'A ChatGPT export was not taken: the archive is not sound',
    body: `${detail}\nNothing of it was kept as a snapshot.${kept === undefined ? '' : ` The archive is at ${kept}.`}\n${next}`,
    at: now,
    data: { capture: capture.id, reason: detail, kept: kept ?? null, retryAt: retryAt ?? null },
  };
}

/** The download keeps failing. */
export function downloadTrouble(capture: Capture, trouble: Trouble, ways: WaysOut, now: number): Message {
  const deadline = deadlineOf(capture) ?? now;
  return {
    event: 'trouble',
    level: 'warning',
    title: `A ChatGPT export cannot be downloaded at present, ${formatTimeLeft(deadline - now)} left`,
    body: [
      trouble.detail,
      `Chatkeep goes on trying, and what has arrived is kept. ${deadlineSentence(deadline, now)}`,
      '',
      `To be on the safe side, ${inBrowser(capture)}, and ${handInHow(ways)}.`,
      '',
      `Tried ${count(trouble.attempts, 'time')} in a row in vain. ${nextWord(trouble, deadline)}`,
    ].join('\n'),
    at: now,
    data: { capture: capture.id, ...urgency(deadline, now), attempts: trouble.attempts, reason: trouble.detail },
  };
}

/** Storage or an unexpected error holds the work up. */
export function workTrouble(
  capture: Capture,
  trouble: Trouble & { readonly kind: 'storage' | 'failure' },
  ways: WaysOut,
  now: number,
): Message {
  const { kind, detail, attempts } = trouble;
  const deadline = lacksArchive(capture) ? deadlineOf(capture) : undefined;
  const limit =
    deadline === undefined
      ? ['The archive itself is safe on disk, so there is no hurry.']
      : [
          deadlineSentence(deadline, now),
          `If that cannot be done in time, ${inBrowser(capture)}, and keep the ZIP. Later, ${handInHow(ways)}.`,
          nextWord(trouble, deadline),
        ];
  const next =
    kind === 'storage'
      ? 'Make room or mend the permissions; Chatkeep goes on by itself afterwards.'
      : 'Chatkeep tries again by itself; if `chatkeep status` still shows this in an hour, look at the log.';
  const left = deadline === undefined ? '' : `, ${formatTimeLeft(deadline - now)} left`;
  return {
    event: 'trouble',
    level: 'failure',
    title: `${kind === 'storage' ? 'A ChatGPT export cannot be stored' : 'A ChatGPT export is held up by an error'}${left}`,
    body: [`${detail} Nothing half-done was left in the backup.`, `${next} ${limit[0]}`, ...limit.slice(1)].join('\n'),
    at: now,
    data: {
      capture: capture.id,
      reason: detail,
      attempts,
      ...(deadline === undefined ? { deadline: null } : urgency(deadline, now)),
    },
  };
}

/** For some time now it could not be found out whether an export notice is genuine. */
export function noticeUndecided(mailbox: string, detail: string, until: number, now: number): Message {
  return {
    event: 'trouble',
    level: 'warning',
    title: `An email about a ChatGPT export cannot be checked, ${formatTimeLeft(until - now)} left`,
    body: `${detail}\nIt is in the mailbox "${mailbox}"; its link is not followed before it is known who sent it. Most often the DNS of the machine or container is the trouble: see notices.dns_servers in the configuration.`,
    at: now,
    data: { mailbox, reason: detail, deadline: until },
  };
}

/** Exports were asked for, and no email has come that one is ready. */
export function overdue(mailbox: string, { asked, folders, isLast }: OverdueFacts, now: number): Message {
  const first = asked[0] ?? now;
  const last = asked.at(-1) ?? now;
  const when =
    asked.length === 1
      ? `at ${formatMoment(first)}`
      : `${asked.length} times, first at ${formatMoment(first)} and last at ${formatMoment(last)}`;
  const chance =
    now - last < MOST_PREPARATION_MS
      ? 'Preparing one can take up to 7 days, so that it may still come; Chatkeep goes on watching for it.'
      : 'Preparing one takes up to 7 days, and these have passed: it will hardly come any more.';
  return {
    event: 'overdue',
    level: 'warning',
    title: `A ChatGPT export was asked for ${formatDuration(now - last)} ago, and has not come`,
    body: [
      `OpenAI confirmed to the mailbox "${mailbox}" that an export was asked for ${when}. No email that it is ready has come since, so nothing new is in the backup; earlier snapshots are untouched. ${chance}`,
      `Please look whether that email went elsewhere. Chatkeep has searched ${searchedWords(folders)} there; it may be in another folder (spam, unless that is one of these, or where a rule of yours files it), or in another mailbox. To an account that has a phone number only, OpenAI sends an SMS instead. The link lives for 24 hours.`,
      '- If you find it, download the export in a browser that is signed in to ChatGPT, and put the ZIP into the drop folder or run `chatkeep import FILE`.',
      `- If you do not: ${NEW_EXPORT_HOW}`,
      isLast ? 'This is told for the last time.' : 'You are reminded again if nothing comes.',
    ].join('\n'),
    at: now,
    data: { mailbox, askedAt: last, requests: asked.length, last: isLast },
  };
}

const FOLDERS_NAMED = 5;

/** `INBOX and Junk` */
function searchedWords(folders: readonly string[]): string {
  const more = folders.length - FOLDERS_NAMED;
  const named = folders.slice(0, FOLDERS_NAMED).map(printable);
  return listed(more > 0 ? [...named, `${more} more`] : named);
}

/** A message that claims to be an export notice is not believed. */
export function noticeRefused(mailbox: string, detail: string, receivedAt: number, now: number): Message {
  return {
    event: 'refused-notice',
    level: 'warning',
    title: 'An email that claims to be a ChatGPT export was not believed',
    body: `${detail}\nIt reached the mailbox "${mailbox}" at ${formatMoment(receivedAt)}, its link was not followed, and the email was left as it is. If you did not ask for an export, nothing is to be done: do not click on its link.`,
    at: now,
    data: { mailbox, reason: detail, receivedAt },
  };
}

/** So that it is found, in the right one of several mailboxes. */
function theEmail({ origin }: Capture): string {
  if (origin.kind !== 'notice') return 'the email';
  return `the email of ${formatMoment(origin.receivedAt)} in the mailbox "${origin.mailbox}"`;
}

function inBrowser(capture: Capture): string {
  return `open the link in ${theEmail(capture)} with a browser that is signed in to ChatGPT`;
}

function deadlineSentence(deadline: number, now: number): string {
  return `The link dies at ${formatMoment(deadline)}, in ${formatTimeLeft(deadline - now)}; after that, this export cannot be fetched any more.`;
}

function handInHow({ dropDir }: WaysOut): string {
  const folder = dropDir === undefined ? '' : `put it into the drop folder ${dropDir}, or `;
  return `give the ZIP to Chatkeep: ${folder}run \`chatkeep import FILE\``;
}

function triedSentence({ attempts, since, detail }: Trouble): string {
  const often =
    attempts === 1 ? 'Tried once' : `Tried ${count(attempts, 'time')} since ${formatMoment(since)}, in the end`;
  return `${often}: ${detail}`.trimEnd();
}

function lastTried({ trouble, state }: Capture): string[] {
  if (trouble !== undefined) return [triedSentence(trouble)];
  return 'reason' in state ? [`The last trouble was: ${state.reason}`] : [];
}

/** So that nobody waits for a reminder that does not come. */
function nextWord({ tellAt }: Trouble, deadline: number): string {
  return tellAt === undefined
    ? 'There is no further reminder.'
    : `The next reminder comes with ${formatTimeLeft(deadline - tellAt)} left.`;
}

function urgency(deadline: number, now: number): { deadline: number; secondsLeft: number } {
  return { deadline, secondsLeft: Math.max(0, Math.round((deadline - now) / 1000)) };
}
