import { type Capture, deadlineOf, hasEnded, type Undelivered } from '../capture/index.ts';
import type { DiskReport, DiskState } from '../disk-watch/index.ts';
import type { Health, Heartbeat } from '../heartbeat.ts';
import { SECOND_MS } from '../lib/clock.ts';
import { count, formatBytes, formatDuration, formatMoment, formatTimeLeft } from '../lib/text.ts';
import { type CheckedLogin, healthWords } from '../login-watch/index.ts';
import { DATA_CONTROLS } from '../nudge/index.ts';
import type { OffsiteProgress, OffsiteRecord } from '../offsite/index.ts';
import { attachmentsOf, type SnapshotInfo } from '../snapshot/index.ts';
import type { VerificationRecord } from '../verification/index.ts';

/** A copy tells how far it is every few seconds. */
const UNDER_WAY_WITHIN_MS = 15 * SECOND_MS;

/** All that is known of the service and of what it has kept. Times in ms UTC, sizes in bytes. */
export interface Status {
  readonly health: Health;
  readonly heartbeat: Heartbeat | undefined;
  readonly open: readonly Capture[];
  readonly ended: readonly Capture[];
  readonly awaited: readonly AwaitedExport[];
  readonly undelivered: Undelivered;
  readonly logins: readonly Tried[];
  readonly verified: VerificationRecord;
  readonly offsite: readonly OffsiteStatus[];
  /** Oldest first. */
  readonly snapshots: readonly Kept[];
  /** Exports that hold the very files of one of the snapshots, oldest first. */
  readonly unchanged: readonly Unchanged[];
  readonly disks: readonly DiskStatus[];
  /** When people are reminded of asking for an export, by account; undefined where there is no snapshot yet. */
  readonly reminders: readonly { readonly account: string | undefined; readonly at: number }[];
}

/** What is told of a login that was tried out. */
type Tried = Pick<CheckedLogin, 'label' | 'checkedAt' | 'health'>;

/** What is told of a snapshot. */
export interface Kept {
  readonly id: string;
  readonly account: string;
  readonly meta: Pick<SnapshotInfo['meta'], 'exportTime' | 'files' | 'bytes' | 'counts'>;
}

/** What is told of an export that was found unchanged. */
export interface Unchanged {
  readonly meta: Pick<SnapshotInfo['meta'], 'exportTime'>;
  readonly snapshot: Pick<SnapshotInfo, 'id' | 'account'>;
}

export interface DiskStatus extends DiskReport {
  readonly state: DiskState;
}

/** How the copies at a place off-site are. */
export interface OffsiteStatus {
  readonly name: string;
  readonly record: OffsiteRecord;
  /** How many exports are not there. */
  readonly missing: number;
  readonly progress: OffsiteProgress | undefined;
}

/** An export that was asked for and has not come; times in ms UTC. */
export interface AwaitedExport {
  readonly mailbox: string;
  readonly provider: string;
  readonly askedAt: number;
  /** When people are told next that it has not come. */
  readonly remindAt: number | undefined;
}

/** What is wrong, and what a person can do about it. */
export interface Problem {
  readonly what: string;
  /** The second half of a sentence: `What to do: …`. */
  readonly fix: string;
}

/** A line about one of several things of a kind. */
export interface Named {
  readonly name: string;
  readonly text: string;
}

/** A capture and how far it is. */
export interface CaptureItem {
  readonly id: string;
  readonly state: Capture['state']['name'];
  readonly text: string;
  /** The same with how long its link lives. */
  readonly line: string;
  /** The snapshot that has its export, once there is one. */
  readonly snapshot: string | undefined;
  /** When its link dies, ms UTC; undefined where that is over, or nothing depends on it. */
  readonly deadline: number | undefined;
  /** In bytes, while it is worked on. */
  readonly work: { readonly done: number; readonly total: number | undefined } | undefined;
  /** It goes on once somebody hands its ZIP in, or renews the login. */
  readonly needsPerson: boolean;
}

/** How things are, in the words of every page that tells it: on a terminal and in a browser. */
export interface Overview {
  readonly isWell: boolean;
  /** The most urgent first. */
  readonly problems: readonly Problem[];
  readonly open: readonly CaptureItem[];
  readonly awaited: readonly string[];
  readonly ended: readonly CaptureItem[];
  readonly mailboxes: readonly Named[];
  readonly logins: readonly Named[];
  readonly snapshots: string;
  readonly accounts: readonly Named[];
  readonly verified: string | undefined;
  readonly offsite: readonly Named[];
  readonly disks: readonly Named[];
  readonly undelivered: string | undefined;
  readonly reminders: readonly string[];
}

/** Puts what is known into words. @param now ms UTC */
export function overviewOf(status: Status, now: number): Overview {
  const { heartbeat, undelivered } = status;
  return {
    isWell: status.health.kind === 'healthy',
    problems: problemsOf(status, now),
    open: captureItems(status.open, heartbeat, now),
    awaited: status.awaited.map((each) => awaitedLine(each, now)),
    ended: captureItems(status.ended, heartbeat, now),
    mailboxes: (heartbeat?.mailboxes ?? []).map((mailbox) => mailboxItem(mailbox, now)),
    logins: status.logins.map(({ label, checkedAt, health }) => ({
      name: label,
      text: `${healthWords(health)} (tried out ${formatDuration(now - checkedAt)} ago)`,
    })),
    snapshots: snapshotsLine(status.snapshots),
    accounts: [...Map.groupBy(status.snapshots, ({ account }) => account)].flatMap(([account, kept]) =>
      accountItem(
        account,
        kept,
        status.unchanged.filter(({ snapshot }) => snapshot.account === account),
        now,
      ),
    ),
    verified: verifiedLine(status.verified, now),
    offsite: status.offsite.map((place) => offsiteItem(place, now)),
    disks: status.disks.map(diskItem),
    undelivered:
      undelivered.count > 0 && undelivered.lastError === undefined
        ? `${count(undelivered.count, 'notification waits', 'notifications wait')} to be delivered.`
        : undefined,
    reminders: status.reminders.map((reminder) => reminderLine(reminder, now)),
  };
}

/** Captures in words. @param heartbeat tells how far they are */
export function captureItems(
  captures: readonly Capture[],
  heartbeat: Pick<Heartbeat, 'work'> | undefined,
  now: number,
): CaptureItem[] {
  return captures.map((capture) => {
    const deadline = hasEnded(capture) ? undefined : deadlineOf(capture);
    const work = heartbeat?.work.find((item) => item.capture === capture.id);
    return {
      id: capture.id,
      state: capture.state.name,
      snapshot: snapshotOf(capture.state),
      text: captureText(capture, work, ''),
      line: captureText(capture, work, timeLeft(deadline, now)),
      deadline: deadline === undefined || deadline <= now ? undefined : deadline,
      work: work === undefined ? undefined : { done: work.done, total: work.total ?? undefined },
      needsPerson: capture.state.name === 'needs-login',
    };
  });
}

/** The most urgent first. */
function problemsOf({ health, open, logins, verified, offsite, disks, undelivered }: Status, now: number): Problem[] {
  return [
    ...serviceProblems(health),
    ...open.flatMap((capture) => captureProblem(capture, now)),
    ...disks.flatMap(diskProblem),
    ...(verified.damage.length === 0
      ? []
      : [
          {
            what: `${count(verified.damage.length, 'file is', 'files are')} damaged.`,
            fix: 'run `chatkeep verify`: it names them, and where a sound copy is.',
          },
        ]),
    ...logins.flatMap(loginProblem),
    ...offsite.flatMap(offsiteProblems),
    ...(undelivered.lastError === undefined || undelivered.count === 0
      ? []
      : [
          {
            what: `${count(undelivered.count, 'notification')} could not be delivered yet. ${undelivered.lastError}`,
            fix: 'run `chatkeep notify test`: it tells which address does not work, and why. They are tried again by themselves.',
          },
        ]),
  ];
}

function serviceProblems(health: Health): Problem[] {
  switch (health.kind) {
    case 'healthy':
      return [];
    case 'not-running':
      return [
        {
          what: `${health.detail} No export is fetched until it does.`,
          fix: 'start it with `chatkeep run` (in Docker: `docker compose up -d`).',
        },
      ];
    case 'unhealthy':
      return [
        {
          what: health.detail,
          fix: 'it tries again by itself. If this lasts, look first at the mailboxes below, then at the log of the service (in Docker: `docker compose logs`); `chatkeep config check` tells whether the settings are sound.',
        },
      ];
  }
}

function captureProblem(capture: Capture, now: number): Problem[] {
  if (capture.state.name !== 'needs-login') return [];
  const deadline = deadlineOf(capture);
  const by = deadline === undefined || deadline <= now ? '' : ` by ${formatMoment(deadline)}`;
  return [
    {
      what: `The export ${capture.id} waits for a login.`,
      fix: `renew the login with \`chatkeep login chatgpt\`, or download it in your browser from the email and run \`chatkeep import FILE\`${by}.`,
    },
  ];
}

function diskProblem({ what, state, free, need }: DiskStatus): Problem[] {
  if (state === 'enough') return [];
  const fits = state === 'full' ? 'the next export does not fit' : 'little room is left';
  const likely = need === 0 ? '' : `, and the next export may take ${formatBytes(need)}`;
  return [
    {
      what: `On ${what}, ${fits}: ${formatBytes(free)} free${likely}.`,
      fix: 'make room; `chatkeep prune --help` tells how to let old snapshots go.',
    },
  ];
}

function loginProblem({ label, health }: Tried): Problem[] {
  if (health.kind !== 'dead' && health.kind !== 'dying') return [];
  return [
    {
      what:
        health.kind === 'dead'
          ? `The login "${label}" does not work.`
          : `The login "${label}" ends at ${formatMoment(health.until)}.`,
      fix: 'renew it before an export waits for it; `chatkeep login chatgpt` tells how.',
    },
  ];
}

function offsiteProblems({ name, record: { trouble, damage } }: OffsiteStatus): Problem[] {
  return [
    ...(damage === null
      ? []
      : [{ what: `Off-site copy ${name}: NOT SOUND: ${damage}`, fix: 'run `chatkeep offsite check`.' }]),
    ...(trouble === null
      ? []
      : [{ what: `Off-site copy ${name}: ${trouble}`, fix: 'mend the place; copying is tried again by itself.' }]),
  ];
}

function mailboxItem({ name, state, lastAnswer, trouble }: Heartbeat['mailboxes'][number], now: number): Named {
  const answer = lastAnswer === null ? ', no answer yet' : `, last answer ${formatDuration(now - lastAnswer)} ago`;
  return { name, text: `${state}${answer}${trouble === null ? '' : `. ${trouble}`}` };
}

function snapshotsLine(snapshots: readonly Kept[]): string {
  const newest = snapshots.at(-1);
  if (newest === undefined) {
    return `There is no snapshot yet. Ask ChatGPT for an export at ${DATA_CONTROLS}; Chatkeep takes it from there.`;
  }
  return `${count(snapshots.length, 'snapshot')}; the newest is ${newest.id} (${contentsOf(newest)}).`;
}

/** `412 conversations, 9,801 messages, 64 attachments; 1,234 files, 1.8 GB`: of what was counted. */
function contentsOf({ meta }: Kept): string {
  const { conversations, messages } = meta.counts;
  const counted = [
    ...(conversations === undefined ? [] : [count(conversations, 'conversation')]),
    ...(messages === undefined ? [] : [count(messages, 'message')]),
    ...[attachmentsOf(meta) ?? 0].filter((n) => n > 0).map((n) => count(n, 'attachment')),
  ];
  const size = `${count(meta.files, 'file')}, ${formatBytes(meta.bytes)}`;
  return [counted.join(', '), size].filter((part) => part !== '').join('; ');
}

/** How old the newest export of an account is, and what it has gained on the one before. */
function accountItem(account: string, kept: readonly Kept[], unchanged: readonly Unchanged[], now: number): Named[] {
  const [before, newest] = [kept.at(-2), kept.at(-1)];
  if (newest === undefined) return [];
  const same = unchanged.at(-1);
  if (same !== undefined && same.meta.exportTime > newest.meta.exportTime) {
    const ago = formatDuration(now - same.meta.exportTime);
    return [{ name: account, text: `exported ${ago} ago, with nothing changed since ${same.snapshot.id}` }];
  }
  const [was, is] = [before?.meta.counts.messages, newest.meta.counts.messages];
  const grown = was === undefined || is === undefined ? 0 : is - was;
  const gained =
    grown === 0
      ? ''
      : `, with ${count(Math.abs(grown), 'message')} ${grown > 0 ? 'more' : 'fewer'} than the one before`;
  return [{ name: account, text: `exported ${formatDuration(now - newest.meta.exportTime)} ago${gained}` }];
}

function diskItem({ what, free, total, need }: DiskStatus): Named {
  const next = need === 0 ? '' : `; the next export may take ${formatBytes(need)}`;
  return { name: what, text: `${formatBytes(free)} of ${formatBytes(total)}${next}.` };
}

function reminderLine({ account, at }: Status['reminders'][number], now: number): string {
  const whose = account === undefined ? 'your first export' : `a new export of ${account}`;
  return at <= now
    ? `You are reminded of asking for ${whose} before long.`
    : `You are reminded of asking for ${whose} at ${formatMoment(at)}, unless one comes before.`;
}

function offsiteItem({ name, record, missing, progress }: OffsiteStatus, now: number): Named {
  const { copiedAt, checkedAt, nextTryAt } = record;
  const isUnderWay = progress !== undefined && now - progress.at < UNDER_WAY_WITHIN_MS;
  const parts = [
    missing === 0 ? 'all snapshots are there' : `${count(missing, 'export is', 'exports are')} not there yet`,
    ...(copiedAt === null ? [] : [`copied last ${formatDuration(now - copiedAt)} ago`]),
    ...(checkedAt === null ? [] : [`checked ${formatDuration(now - checkedAt)} ago`]),
    ...(isUnderWay ? [`${formatBytes(progress.done)} of ${formatBytes(progress.total)} done at present`] : []),
  ];
  const next = nextTryAt === null || nextTryAt <= now ? '' : ` Next try at ${formatMoment(nextTryAt)}.`;
  return { name, text: `${parts.join(', ')}.${next}` };
}

function verifiedLine({ verifiedAt, roundEnded }: VerificationRecord, now: number): string | undefined {
  if (verifiedAt === null) return undefined;
  const round =
    roundEnded === null ? 'not every file was read yet' : `every file had been read by ${formatMoment(roundEnded)}`;
  return `Snapshots were read again ${formatDuration(now - verifiedAt)} ago; ${round}.`;
}

function awaitedLine({ mailbox, askedAt, remindAt }: AwaitedExport, now: number): string {
  const reminder =
    remindAt === undefined || remindAt <= now ? '' : `; you are told if nothing has come by ${formatMoment(remindAt)}`;
  return `asked for at ${formatMoment(askedAt)}, mailbox ${mailbox}${reminder}`;
}

function snapshotOf(state: Capture['state']): string | undefined {
  if (state.name === 'committed') return state.snapshot;
  if (state.name === 'unchanged') return state.since;
  return state.name === 'duplicate' ? state.of : undefined;
}

function timeLeft(deadline: number | undefined, now: number): string {
  return deadline === undefined || deadline <= now ? '' : `; the link dies in ${formatTimeLeft(deadline - now)}`;
}

/** @param left what is said of the time that the link has left */
function captureText(capture: Capture, work: Heartbeat['work'][number] | undefined, left: string): string {
  const { state } = capture;
  switch (state.name) {
    case 'found':
      return `found${left}`;
    case 'downloading':
    case 'unpacking': {
      const far =
        work === undefined
          ? ''
          : `, ${formatBytes(work.done)}${work.total === null ? '' : ` of ${formatBytes(work.total)}`}`;
      return `${state.name}${far}${state.name === 'downloading' ? left : ''}`;
    }
    case 'waiting':
      return `waiting until ${formatMoment(state.until)}${left}. ${state.reason}`;
    case 'needs-login':
      return `needs a login${left}. ${state.reason}`;
    case 'committed':
      return `kept as ${state.snapshot} at ${formatMoment(state.at)}`;
    case 'duplicate':
      return `kept before as ${state.of}`;
    case 'unchanged':
      return `complete at ${formatMoment(state.at)}: nothing has changed since ${state.since}`;
    case 'refused':
      return `refused at ${formatMoment(state.at)}. ${state.reason}${state.kept === undefined ? '' : ` The archive is at ${state.kept}`}`;
    case 'expired':
      return `lost at ${formatMoment(state.at)}, its link has died`;
  }
}
