import { stat, statfs } from 'node:fs/promises';
import type { Journal, Recorder } from '../capture/index.ts';
import { type Clock, DAY_MS } from '../lib/clock.ts';
import type { Message } from '../notify/index.ts';
import { listSnapshots, type SnapshotInfo } from '../snapshot/index.ts';
import { type DiskFacts, type DiskSettings, type DiskState, judgeDisk } from './judge.ts';
import { type Disk, diskEnough, diskFull, diskLow } from './messages.ts';

export interface DiskWatchOptions {
  readonly journal: Pick<Journal, 'toldOf'>;
  readonly recorder: Pick<Recorder, 'record'>;
  readonly backupDir: string;
  readonly stateDir: string;
  readonly settings: DiskSettings;
  readonly clock: Clock;
}

/** A disk that work is done on, and how it is. */
export interface DiskReport extends DiskFacts, Disk {}

/** The next export is likely to be as large as the largest of the last ones. */
const RECENT_SNAPSHOTS = 3;
/** Who has not made room in a week may have forgotten it. */
const AGAIN_MS = 7 * DAY_MS;

/** Tells people before an export cannot be kept for want of room, and when there is room again; each once, over restarts, too. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /**
   * To be called now and then, while no export is being taken in: that takes room for a while.
   * @throws what the journal throws; an error of the file system; ChatkeepError where the backup directory cannot be read
   */
  async look(): Promise<void> {
    const { journal, recorder, backupDir, stateDir, settings, clock } = this.#options;
    const { snapshots } = await listSnapshots(backupDir);
    for (const report of await diskReports({ backupDir, stateDir }, snapshots)) {
      const subject = `disk ${report.path}`;
      const told = await journal.toldOf(subject);
      const before = stateOf(told?.what);
      const state = judgeDisk(before, report, settings);
      const now = clock.now();
      const isDueAgain = state === 'full' && told !== undefined && now - told.at >= AGAIN_MS;
      if (state === before && !isDueAgain) continue;
      await recorder.record({
        told: [{ subject, what: state, at: now }],
        messages: newsOf(before, state, report, now),
      });
    }
  }
}

/** Who knows that the next export does not fit is told no more until there is room for it, and for another. */
function newsOf(before: DiskState, state: DiskState, report: DiskReport, now: number): Message[] {
  switch (state) {
    case 'full':
      return [diskFull(report, report, now)];
    case 'low':
      return before === 'full' ? [] : [diskLow(report, report, now)];
    case 'enough':
      return [diskEnough(report, report, now)];
  }
}

function stateOf(what: string | undefined): DiskState {
  return what === 'low' || what === 'full' ? what : 'enough';
}

/**
 * How the disks of the backup and the state directory are; one report where they are on the same.
 * @throws an error of the file system
 */
export async function diskReports(
  { backupDir, stateDir }: { readonly backupDir: string; readonly stateDir: string },
  snapshots: readonly SnapshotInfo[],
): Promise<DiskReport[]> {
  const unpacked = largest(snapshots, ({ meta }) => meta.bytes);
  const packed = largest(snapshots, ({ meta }) => meta.archive.bytes);
  const isShared = (await stat(backupDir)).dev === (await stat(stateDir)).dev;
  const backups = { what: `the disk of the backup directory ${backupDir}`, path: backupDir };
  if (isShared) return [await reportOn(backups, packed + unpacked)];
  return [
    await reportOn(backups, unpacked),
    await reportOn({ what: `the disk of the state directory ${stateDir}`, path: stateDir }, packed),
  ];
}

async function reportOn(disk: Disk, need: number): Promise<DiskReport> {
  const { bavail, blocks, bsize } = await statfs(disk.path);
  return { ...disk, free: bavail * bsize, total: blocks * bsize, need };
}

/** Of the last snapshots of each account. */
function largest(snapshots: readonly SnapshotInfo[], bytesOf: (snapshot: SnapshotInfo) => number): number {
  const recent = [...Map.groupBy(snapshots, ({ account }) => account).values()].flatMap((kept) =>
    kept.slice(-RECENT_SNAPSHOTS),
  );
  return Math.max(0, ...recent.map(bytesOf));
}
