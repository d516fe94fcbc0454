import { Command } from 'commander';
import { journalPath, mailboxAccounts, remindersOf } from '../assembly.ts';
import {
  type Awaited,
  type Capture,
  deadlineOf,
  nextReminder,
  openSqliteJournal,
  stillAwaited,
  type Undelivered,
} from '../capture/index.ts';
import type { Config } from '../config/index.ts';
import { type Health, type Heartbeat, judgeHealth, readHeartbeat } from '../heartbeat.ts';
import { SECOND_MS, systemClock } from '../lib/clock.ts';
import { ERROR_TABLE } from '../lib/errors.ts';
import { exists } from '../lib/files.ts';
import { count, formatBytes, formatDuration, formatMoment } from '../lib/text.ts';
import { type CheckedLogin, loginRecordIn } from '../login-watch/index.ts';
import { type OffsiteProgress, type OffsiteRecord, offsiteRecordIn } from '../offsite/index.ts';
import { listSnapshots, type SnapshotInfo } from '../snapshot/index.ts';
import { readRecord, type VerificationRecord } from '../verification/index.ts';
import { loadForCommand } from './context.ts';
import { healthJson, healthWords } from './login/health.ts';
import { printJson, printLine } from './output.ts';

const RECENT = 5;
/** A copy tells how far it is every few seconds. */
const UNDER_WAY_WITHIN_MS = 15 * SECOND_MS;

interface Status {
  readonly health: Health;
  readonly heartbeat: Heartbeat | undefined;
  readonly open: readonly Capture[];
  readonly ended: readonly Capture[];
  readonly awaited: readonly AwaitedExport[];
  readonly undelivered: Undelivered;
  readonly logins: readonly CheckedLogin[];
  readonly verified: VerificationRecord;
  readonly offsite: readonly OffsiteStatus[];
  readonly snapshots: readonly SnapshotInfo[];
}

/** How the copies at a place off-site are. */
interface OffsiteStatus {
  readonly name: string;
  readonly record: OffsiteRecord;
  /** Snapshots that are not there. */
  readonly missing: number;
  readonly progress: OffsiteProgress | undefined;
}

/** An export that was asked for and has not come; times in ms UTC. */
interface AwaitedExport {
  readonly mailbox: string;
  readonly provider: string;
  readonly askedAt: number;
  /** When people are told next that it has not come. */
  readonly remindAt: number | undefined;
}

/** `chatkeep status`: how things are. */
export function statusCommand(): Command {
  return new Command('status')
    .description('tell what is being captured, how the mailboxes are, and what was kept last; exit code 7 if unhealthy')
    .option('--json', 'print it as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const status = await gather(config);
      const now = systemClock.now();
      if (options.json === true) printJson(asJson(status));
      else for (const line of page(status, now)) printLine(line);
      if (status.health.kind !== 'healthy') process.exitCode = ERROR_TABLE.unhealthy.exitCode;
    });
}

async function gather(config: Config): Promise<Status> {
  const heartbeat = await readHeartbeat(config.stateDir);
  const { snapshots } = await listSnapshots(config.backupDir);
  const health = judgeHealth(heartbeat, systemClock.now());
  const logins = await loginRecordIn(config.stateDir).read();
  const verified = await readRecord(config.stateDir);
  const offsite = await offsiteStatus(config, snapshots);
  if (!(await exists(journalPath(config)))) {
    const undelivered = { count: 0, lastError: undefined, oldestAt: undefined };
    return { health, heartbeat, open: [], ended: [], awaited: [], undelivered, logins, offsite, verified, snapshots };
  }
  await using journal = openSqliteJournal(journalPath(config));
  return {
    health,
    heartbeat,
    open: await journal.openCaptures(),
    ended: await journal.endedCaptures(RECENT),
    awaited: awaitedExports(stillAwaited(await journal.awaited(), snapshots, mailboxAccounts(config)), config),
    undelivered: await journal.undelivered(),
    logins,
    offsite,
    verified,
    snapshots,
  };
}

function offsiteStatus(config: Config, snapshots: readonly SnapshotInfo[]): Promise<OffsiteStatus[]> {
  return Promise.all(
    config.offsite.map(async ({ name }) => {
      const keeper = offsiteRecordIn(config.stateDir, name);
      const record = await keeper.read();
      const missing = snapshots.filter(({ id }) => !record.copied.includes(id)).length;
      return { name, record, missing, progress: await keeper.readProgress() };
    }),
  );
}

function awaitedExports(awaited: readonly Awaited[], config: Config): AwaitedExport[] {
  const reminders = remindersOf(config);
  return awaited.flatMap(({ mailbox, provider, requests }) =>
    requests.map((request) => {
      return { mailbox, provider, askedAt: request.askedAt, remindAt: nextReminder(request, reminders) };
    }),
  );
}

function page(
  { health, heartbeat, open, ended, awaited, undelivered, logins, offsite, verified, snapshots }: Status,
  now: number,
): string[] {
  const newest = snapshots.at(-1);
  return [
    health.kind === 'healthy' ? 'The service runs and is well.' : health.detail,
    '',
    ...(heartbeat?.mailboxes ?? []).map(
      ({ name, state, lastAnswer, trouble }) =>
        `Mailbox ${name}: ${state}${lastAnswer === null ? '' : `, last answer ${formatDuration(now - lastAnswer)} ago`}${trouble === null ? '' : `. ${trouble}`}`,
    ),
    ...logins.map(
      ({ label, checkedAt, health: found }) =>
        `Login, ${label}: ${healthWords(found)} (tried out ${formatDuration(now - checkedAt)} ago)`,
    ),
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
    newest === undefined
      ? 'There is no snapshot yet.'
      : `${count(snapshots.length, 'snapshot')}; the newest is ${newest.id} (${count(newest.meta.files, 'file')}, ${formatBytes(newest.meta.bytes)}).`,
    ...offsite.map((place) => offsiteLine(place, now)),
    ...verifiedLines(verified, now),
    ...(undelivered.count === 0
      ? []
      : [
          undelivered.lastError === undefined
            ? `${count(undelivered.count, 'notification waits', 'notifications wait')} to be delivered.`
            : `${count(undelivered.count, 'notification')} could not be delivered yet. ${undelivered.lastError}`,
        ]),
  ];
}

function offsiteLine({ name, record, missing, progress }: OffsiteStatus, now: number): string {
  const { copiedAt, checkedAt, nextTryAt, trouble, damage } = record;
  const isUnderWay = progress !== undefined && now - progress.at < UNDER_WAY_WITHIN_MS;
  const parts = [
    missing === 0 ? 'all snapshots are there' : `${count(missing, 'snapshot is', 'snapshots are')} not there yet`,
    ...(copiedAt === null ? [] : [`copied last ${formatDuration(now - copiedAt)} ago`]),
    ...(checkedAt === null ? [] : [`checked ${formatDuration(now - checkedAt)} ago`]),
    ...(isUnderWay ? [`${formatBytes(progress.done)} of ${formatBytes(progress.total)} done at present`] : []),
  ];
  const amiss = [
    ...(damage === null ? [] : [`NOT SOUND: ${damage}`]),
    ...(trouble === null ? [] : [trouble]),
    ...(nextTryAt === null || nextTryAt <= now ? [] : [`Next try at ${formatMoment(nextTryAt)}.`]),
  ];
  return [`Off-site copy ${name}: ${parts.join(', ')}.`, ...amiss].join(' ');
}

function verifiedLines({ verifiedAt, roundEnded, damage }: VerificationRecord, now: number): string[] {
  if (verifiedAt === null) return [];
  const round =
    roundEnded === null ? 'not every file was read yet' : `every file had been read by ${formatMoment(roundEnded)}`;
  return [
    `Snapshots were read again ${formatDuration(now - verifiedAt)} ago; ${round}.`,
    ...(damage.length === 0
      ? []
      : [`${count(damage.length, 'file is', 'files are')} damaged: run \`chatkeep verify\`.`]),
  ];
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
      return `${id}: waiting until ${formatMoment(state.until)}. ${state.reason}${left}`;
    case 'needs-login':
      return `${id}: needs a login. ${state.reason}${left}`;
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

function asJson({
  health,
  heartbeat,
  open,
  ended,
  awaited,
  undelivered,
  logins,
  offsite,
  verified,
  snapshots,
}: Status): unknown {
  const newest = snapshots.at(-1);
  return {
    health,
    service: heartbeat ?? null,
    logins: logins.map(({ label, checkedAt, health: found }) => healthJson(label, checkedAt, found)),
    open: open.map(captureJson),
    ended: ended.map(captureJson),
    awaited: awaited.map(({ remindAt = null, ...rest }) => ({ ...rest, remindAt })),
    offsite: offsite.map(({ name, record: { format: _format, copied, told: _told, ...record }, missing }) => {
      return { name, copied: copied.length, missing, ...record };
    }),
    verified: {
      at: verified.verifiedAt,
      everyFileReadAt: verified.roundEnded,
      damaged: verified.damage.map(({ snapshot, path }) => ({ snapshot, path })),
    },
    undeliveredNotifications: undelivered.count,
    lastDeliveryError: undelivered.lastError ?? null,
    snapshots: snapshots.length,
    newestSnapshot: newest === undefined ? null : { id: newest.id, exportTime: newest.meta.exportTime },
  };
}

function captureJson(capture: Capture): unknown {
  const { id, exportId, exportTime, foundAt, state, origin } = capture;
  return { id, exportId, exportTime, foundAt, deadline: deadlineOf(capture), from: origin.kind, state };
}
