import { Command } from 'commander';
import { journalPath, mailboxAccounts, nudgeSettings, remindersOf } from '../assembly.ts';
import {
  type Awaited,
  type Capture,
  deadlineOf,
  nextReminder,
  openSqliteJournal,
  stillAwaited,
} from '../capture/index.ts';
import type { Config } from '../config/index.ts';
import { diskReports, judgeDisk } from '../disk-watch/index.ts';
import { judgeHealth, readHeartbeat } from '../heartbeat.ts';
import { systemClock } from '../lib/clock.ts';
import { ERROR_TABLE } from '../lib/errors.ts';
import { exists } from '../lib/files.ts';
import { loginRecordIn } from '../login-watch/index.ts';
import { upcomingNudges } from '../nudge/index.ts';
import { offsiteRecordIn } from '../offsite/index.ts';
import { listSnapshots, type SnapshotInfo } from '../snapshot/index.ts';
import { readRecord } from '../verification/index.ts';
import { loadForCommand } from './context.ts';
import { healthJson } from './login/health.ts';
import { printJson, printLine } from './output.ts';
import { type AwaitedExport, type DiskStatus, type OffsiteStatus, type Status, statusPage } from './status/page.ts';

const RECENT = 5;

/** `chatkeep status`: how things are. */
export function statusCommand(): Command {
  return new Command('status')
    .description('tell what is being captured, how the mailboxes are, and what was kept last; exit code 7 if unhealthy')
    .option('--json', 'print it as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const now = systemClock.now();
      const status = await gather(config, now);
      if (options.json === true) printJson(asJson(status));
      else for (const line of statusPage(status, now)) printLine(line);
      if (status.health.kind !== 'healthy') process.exitCode = ERROR_TABLE.unhealthy.exitCode;
    });
}

async function gather(config: Config, now: number): Promise<Status> {
  const heartbeat = await readHeartbeat(config.stateDir);
  const { snapshots } = await listSnapshots(config.backupDir);
  const health = judgeHealth(heartbeat, now);
  const logins = await loginRecordIn(config.stateDir).read();
  const verified = await readRecord(config.stateDir);
  const offsite = await offsiteStatus(config, snapshots);
  const disks = await disksOf(config, snapshots);
  const known = { health, heartbeat, logins, offsite, verified, snapshots, disks };
  if (!(await exists(journalPath(config)))) {
    const undelivered = { count: 0, lastError: undefined, oldestAt: undefined };
    return { ...known, open: [], ended: [], awaited: [], undelivered, reminders: [] };
  }
  await using journal = openSqliteJournal(journalPath(config));
  const accounts = mailboxAccounts(config);
  const [open, awaited] = [await journal.openCaptures(), await journal.awaited()];
  return {
    ...known,
    open,
    ended: await journal.endedCaptures(RECENT),
    awaited: awaitedExports(stillAwaited(awaited, snapshots, accounts), config),
    undelivered: await journal.undelivered(),
    reminders: await upcomingNudges({ snapshots, open, awaited, accounts }, journal, nudgeSettings(config), now),
  };
}

/** Where a directory is not there yet, or cannot be seen to, nothing is told of its disk. */
async function disksOf(config: Config, snapshots: readonly SnapshotInfo[]): Promise<DiskStatus[]> {
  const reports = await diskReports(config, snapshots).catch(() => []);
  return reports.map((report) => ({ ...report, state: judgeDisk('enough', report, config.disk) }));
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
  disks,
  reminders,
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
    disks: disks.map(({ path, free, total, need, state }) => ({ path, free, total, nextExport: need, state })),
    reminders: reminders.map(({ account = null, at }) => ({ account, at })),
    snapshots: snapshots.length,
    newestSnapshot: newest === undefined ? null : { id: newest.id, exportTime: newest.meta.exportTime },
  };
}

function captureJson(capture: Capture): unknown {
  const { id, exportId, exportTime, foundAt, state, origin } = capture;
  return { id, exportId, exportTime, foundAt, deadline: deadlineOf(capture), from: origin.kind, state };
}
