import type { Assembly } from '../assembly.ts';
import type { Capture, CaptureState } from '../capture/index.ts';
import type { Config } from '../config/index.ts';
import { type DiskReport, diskReports } from '../disk-watch/index.ts';
import { type Health, type Heartbeat, judgeHealth } from '../heartbeat.ts';
import { version } from '../lib/version.ts';
import { type CheckedLogin, loginRecordIn } from '../login-watch/index.ts';
import { type KeptExport, keptExports, listSnapshots, type SnapshotInfo } from '../snapshot/index.ts';
import { readRecord } from '../verification/index.ts';

/** What is read for the metrics, all at one moment. Times in ms UTC, sizes in bytes. */
export interface Reading {
  readonly now: number;
  readonly version: string;
  readonly health: Health;
  readonly mailboxes: Heartbeat['mailboxes'];
  readonly open: readonly Capture[];
  /** How many captures there are in each state, of all that were ever made. */
  readonly captures: Readonly<Partial<Record<CaptureState['name'], number>>>;
  readonly awaited: number;
  /** Since the start. */
  readonly downloadedBytes: number;
  readonly snapshots: readonly SnapshotInfo[];
  /** With those that were found unchanged; oldest first. */
  readonly exports: readonly KeptExport[];
  readonly undelivered: { readonly count: number; readonly oldestAt: number | undefined };
  readonly logins: readonly CheckedLogin[];
  readonly disks: readonly DiskReport[];
  /** When snapshots were last verified; undefined if never. */
  readonly verifiedAt: number | undefined;
}

/**
 * Reads all of it.
 * @throws what the journal throws; ChatkeepError where the backup directory cannot be read
 */
export async function readMetrics(
  { backupDir, stateDir }: Config,
  { journal, conductor }: Pick<Assembly, 'journal' | 'conductor'>,
  vitals: Heartbeat,
): Promise<Reading> {
  const list = await listSnapshots(backupDir);
  const { snapshots } = list;
  return {
    now: vitals.at,
    version: await version(),
    health: judgeHealth(vitals, vitals.at),
    mailboxes: vitals.mailboxes,
    open: await journal.openCaptures(),
    captures: await journal.captureCounts(),
    awaited: (await journal.awaited()).reduce((sum, { requests }) => sum + requests.length, 0),
    downloadedBytes: conductor.downloadedBytes,
    snapshots,
    exports: keptExports(list),
    undelivered: await journal.undelivered(),
    logins: await loginRecordIn(stateDir).read(),
    disks: await diskReports({ backupDir, stateDir }, snapshots),
    verifiedAt: (await readRecord(stateDir)).verifiedAt ?? undefined,
  };
}
