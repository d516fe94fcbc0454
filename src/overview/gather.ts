import { mailboxAccounts, nudgeSettings, remindersOf } from '../assembly.ts';
import { type Awaited, type Journal, nextReminder, stillAwaited } from '../capture/index.ts';
import type { Config } from '../config/index.ts';
import { diskReports, judgeDisk } from '../disk-watch/index.ts';
import { type Heartbeat, judgeHealth } from '../heartbeat.ts';
import { loginRecordIn } from '../login-watch/index.ts';
import { upcomingNudges } from '../nudge/index.ts';
import { missingOf, offsiteRecordIn } from '../offsite/index.ts';
import { type KeptExport, keptExports, listSnapshots, type SnapshotInfo } from '../snapshot/index.ts';
import { readRecord } from '../verification/index.ts';
import type { AwaitedExport, DiskStatus, OffsiteStatus, Status } from './overview.ts';

const RECENT = 5;

/** What the service itself knows best. */
export interface StatusSources {
  /** Its last sign of life. */
  readonly heartbeat: Heartbeat | undefined;
  /** Undefined where it never ran. */
  readonly journal: Journal | undefined;
}

/**
 * Gathers all that is known of the service and of what it has kept. @param now ms UTC
 * @throws ChatkeepError `storage` where a record is a newer Chatkeep's, or cannot be read
 */
export async function gatherStatus(
  config: Config,
  { heartbeat, journal }: StatusSources,
  now: number,
): Promise<Status> {
  const list = await listSnapshots(config.backupDir);
  const { snapshots, unchanged } = list;
  const kept = keptExports(list);
  const health = judgeHealth(heartbeat, now);
  const logins = await loginRecordIn(config.stateDir).read();
  const verified = await readRecord(config.stateDir);
  const offsite = await offsiteStatus(config, kept);
  const disks = await disksOf(config, snapshots);
  const known = { health, heartbeat, logins, offsite, verified, snapshots, unchanged, disks };
  if (journal === undefined) {
    const undelivered = { count: 0, lastError: undefined, oldestAt: undefined };
    return { ...known, open: [], ended: [], awaited: [], undelivered, reminders: [] };
  }
  const accounts = mailboxAccounts(config);
  const [open, awaited] = [await journal.openCaptures(), await journal.awaited()];
  return {
    ...known,
    open,
    ended: await journal.endedCaptures(RECENT),
    awaited: awaitedExports(stillAwaited(awaited, kept, accounts), config),
    undelivered: await journal.undelivered(),
    reminders: await upcomingNudges({ kept, open, awaited, accounts }, journal, nudgeSettings(config), now),
  };
}

/** Where a directory is not there yet, or cannot be seen to, nothing is told of its disk. */
async function disksOf(config: Config, snapshots: readonly SnapshotInfo[]): Promise<DiskStatus[]> {
  const reports = await diskReports(config, snapshots).catch(() => []);
  return reports.map((report) => ({ ...report, state: judgeDisk('enough', report, config.disk) }));
}

function offsiteStatus(config: Config, kept: readonly KeptExport[]): Promise<OffsiteStatus[]> {
  return Promise.all(
    config.offsite.map(async ({ name }) => {
      const keeper = offsiteRecordIn(config.stateDir, name);
      const record = await keeper.read();
      const missing = missingOf(kept, record).length;
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
