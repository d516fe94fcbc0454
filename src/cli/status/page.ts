import { type Capture, deadlineOf, type Undelivered } from '../../capture/index.ts';
import type { DiskReport, DiskState } from '../../disk-watch/index.ts';
import type { Health, Heartbeat } from '../../heartbeat.ts';
import { SECOND_MS } from '../../lib/clock.ts';
import { count, formatBytes, formatDuration, formatMoment } from '../../lib/text.ts';
import type { CheckedLogin } from '../../login-watch/index.ts';
import { DATA_CONTROLS } from '../../nudge/index.ts';
import type { OffsiteProgress, OffsiteRecord } from '../../offsite/index.ts';
import type { SnapshotInfo } from '../../snapshot/index.ts';
import type { VerificationRecord } from '../../verification/index.ts';
import { healthWords } from '../login/health.ts';

/** A copy tells how far it is every few seconds. */
const UNDER_WAY_WITHIN_MS = 15 * SECOND_MS;

/** What the page is made of: all that is known of the service and of what it has kept. Times in ms UTC, sizes in bytes. */
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
  readonly disks: readonly DiskStatus[];
  /** When people are reminded of asking for an export, by account; undefined where there is no snapshot yet. */
  readonly reminders: readonly { readonly account: string | undefined; readonly at: number }[];
}

/** What the page needs of a login that was tried out. */
type Tried = Pick<CheckedLogin, 'label' | 'checkedAt' | 'health'>;

/** What the page needs of a snapshot. */
export interface Kept {
  readonly id: string;
  readonly account: string;
  readonly meta: Pick<SnapshotInfo['meta'], 'exportTime' | 'files' | 'bytes' | 'counts'>;
}

export interface DiskStatus extends DiskReport {
  readonly state: DiskState;
}

/** How the copies at a place off-site are. */
export interface OffsiteStatus {
  readonly name: string;
  readonly record: OffsiteRecord;
  /** Snapshots that are not there. */
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
interface Problem {
  readonly what: string;
  readonly fix: string;
}

/** The page of `chatkeep status`, line by line: what is wrong comes first, each with its fix. */
export function statusPage(status: Status, now: number): string[] {
  const { heartbeat, open, ended, awaited, logins, offsite, verified, undelivered } = status;
  return [
    ...headLines(status, now),
    '',
    open.length === 0
      ? 'No export is being captured.'
      : `${count(open.length, 'export is', 'exports are')} being captured:`,
    ...open.map((capture) => `- ${captureLine(capture, heartbeat, now)}`),
    ...(awaited.length === 0
      ? []
      : [`${count(awaited.length, 'export was', 'exports were')} asked for, with no email yet that it is ready:`]),
    ...awaited.map((each) => `- ${awaitedLine(each, now)}`),
    ...(ended.length === 0 ? [] : ['Ended last:']),
    ...ended.map((capture) => `- ${captureLine(capture, heartbeat, now)}`),
    '',
    ...(heartbeat?.mailboxes ?? []).map((mailbox) => mailboxLine(mailbox, now)),
    ...logins.map(
      ({ label, checkedAt, health }) =>
        `Login, ${label}: ${healthWords(health)} (tried out ${formatDuration(now - checkedAt)} ago)`,
    ),
    ...snapshotLines(status.snapshots, now),
    ...verifiedLines(verified, now),
    ...offsite.map((place) => offsiteLine(place, now)),
    ...status.disks.map(diskLine),
    ...(undelivered.count > 0 && undelivered.lastError === undefined
      ? [`${count(undelivered.count, 'notification waits', 'notifications wait')} to be delivered.`]
      : []),
    ...status.reminders.map((reminder) => reminderLine(reminder, now)),
  ];
}

function headLines(status: Status, now: number): string[] {
  const problems = problemsOf(status, now);
  const isWell = status.health.kind === 'healthy';
  if (problems.length === 0) return ['The service runs and is well.'];
  return [
    ...(isWell ? ['The service runs and is well. Something else needs you:'] : []),
    ...problems.flatMap(({ what, fix }) => [`! ${what}`, `  What to do: ${fix}`]),
  ];
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
      return [{ what: health.detail, fix: 'see the log of the service; it tries again by itself.' }];
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

function mailboxLine({ name, state, lastAnswer, trouble }: Heartbeat['mailboxes'][number], now: number): string {
  const answer = lastAnswer === null ? ', no answer yet' : `, last answer ${formatDuration(now - lastAnswer)} ago`;
  return `Mailbox ${name}: ${state}${answer}${trouble === null ? '' : `. ${trouble}`}`;
}

function snapshotLines(snapshots: readonly Kept[], now: number): string[] {
  const newest = snapshots.at(-1);
  if (newest === undefined) {
    return [`There is no snapshot yet. Ask ChatGPT for an export at ${DATA_CONTROLS}; Chatkeep takes it from there.`];
  }
  const { files, bytes } = newest.meta;
  return [
    `${count(snapshots.length, 'snapshot')}; the newest is ${newest.id} (${count(files, 'file')}, ${formatBytes(bytes)}).`,
    ...[...Map.groupBy(snapshots, ({ account }) => account)].flatMap(([account, kept]) =>
      accountLine(account, kept, now),
    ),
  ];
}

/** How old the newest snapshot of an account is, and what it has gained on the one before. */
function accountLine(account: string, kept: readonly Kept[], now: number): string[] {
  const [before, newest] = [kept.at(-2), kept.at(-1)];
  if (newest === undefined) return [];
  const [was, is] = [before?.meta.counts.messages, newest.meta.counts.messages];
  const grown = was === undefined || is === undefined ? 0 : is - was;
  const gained =
    grown === 0
      ? ''
      : `, with ${count(Math.abs(grown), 'message')} ${grown > 0 ? 'more' : 'fewer'} than the one before`;
  return [`- ${account}: exported ${formatDuration(now - newest.meta.exportTime)} ago${gained}`];
}

function diskLine({ what, free, total, need }: DiskStatus): string {
  const next = need === 0 ? '' : `; the next export may take ${formatBytes(need)}`;
  return `Free on ${what}: ${formatBytes(free)} of ${formatBytes(total)}${next}.`;
}

function reminderLine({ account, at }: Status['reminders'][number], now: number): string {
  const whose = account === undefined ? 'your first export' : `a new export of ${account}`;
  return at <= now
    ? `You are reminded of asking for ${whose} before long.`
    : `You are reminded of asking for ${whose} at ${formatMoment(at)}, unless one comes before.`;
}

function offsiteLine({ name, record, missing, progress }: OffsiteStatus, now: number): string {
  const { copiedAt, checkedAt, nextTryAt } = record;
  const isUnderWay = progress !== undefined && now - progress.at < UNDER_WAY_WITHIN_MS;
  const parts = [
    missing === 0 ? 'all snapshots are there' : `${count(missing, 'snapshot is', 'snapshots are')} not there yet`,
    ...(copiedAt === null ? [] : [`copied last ${formatDuration(now - copiedAt)} ago`]),
    ...(checkedAt === null ? [] : [`checked ${formatDuration(now - checkedAt)} ago`]),
    ...(isUnderWay ? [`${formatBytes(progress.done)} of ${formatBytes(progress.total)} done at present`] : []),
  ];
  const next = nextTryAt === null || nextTryAt <= now ? '' : ` Next try at ${formatMoment(nextTryAt)}.`;
  return `Off-site copy ${name}: ${parts.join(', ')}.${next}`;
}

function verifiedLines({ verifiedAt, roundEnded }: VerificationRecord, now: number): string[] {
  if (verifiedAt === null) return [];
  const round =
    roundEnded === null ? 'not every file was read yet' : `every file had been read by ${formatMoment(roundEnded)}`;
  return [`Snapshots were read again ${formatDuration(now - verifiedAt)} ago; ${round}.`];
}

function awaitedLine({ mailbox, askedAt, remindAt }: AwaitedExport, now: number): string {
  const reminder =
    remindAt === undefined || remindAt <= now ? '' : `; you are told if nothing has come by ${formatMoment(remindAt)}`;
  return `asked for at ${formatMoment(askedAt)}, mailbox ${mailbox}${reminder}`;
}

function captureLine(capture: Capture, heartbeat: Heartbeat | undefined, now: number): string {
  const { id, state } = capture;
  const deadline = deadlineOf(capture);
  const left = deadline === undefined || deadline <= now ? '' : `; the link dies in ${formatDuration(deadline - now)}`;
  switch (state.name) {
    case 'found':
      return `${id}: found${left}`;
    case 'downloading':
    case 'unpacking': {
      const work = heartbeat?.work.find((item) => item.capture === id);
      const far =
        work === undefined
          ? ''
          : `, ${formatBytes(work.done)}${work.total === null ? '' : ` of ${formatBytes(work.total)}`}`;
      return `${id}: ${state.name}${far}${state.name === 'downloading' ? left : ''}`;
    }
    case 'waiting':
      return `${id}: waiting until ${formatMoment(state.until)}${left}. ${state.reason}`;
    case 'needs-login':
      return `${id}: needs a login${left}. ${state.reason}`;
    case 'committed':
      return `${id}: kept as ${state.snapshot} at ${formatMoment(state.at)}`;
    case 'duplicate':
      return `${id}: kept before as ${state.of}`;
    case 'refused':
      return `${id}: refused at ${formatMoment(state.at)}. ${state.reason}${state.kept === undefined ? '' : ` The archive is at ${state.kept}`}`;
    case 'expired':
      return `${id}: lost at ${formatMoment(state.at)}, its link has died`;
  }
}
