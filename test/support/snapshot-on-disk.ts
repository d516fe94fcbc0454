import { sha256 } from '../../src/lib/hash.ts';
import type { SnapshotInfo } from '../../src/snapshot/index.ts';
import { open, take, takeNew } from '../snapshot/support.ts';

/** Commits a small snapshot of an export made at `exportTime` (ms UTC), in whole seconds. */
export async function writeSnapshot(
  backupDir: string,
  account: string,
  exportTime: number,
  counts: Readonly<Record<string, number>> = {},
  archiveBytes = 1000,
): Promise<SnapshotInfo> {
  await using backups = await open(backupDir);
  const capture = `${account} ${exportTime}`.replace(/\W/g, '-');
  return takeNew(
    backups,
    capture,
    { 'chat.html': capture },
    {
      account,
      exportTime: Math.floor(exportTime / 1000) * 1000,
      takenAt: exportTime,
      describe: async () => ({ counts, findings: [] }),
      archive: { form: 'zip', sha256: sha256(capture), bytes: archiveBytes },
    },
  );
}

/** Takes in another export with what that snapshot holds, made at `exportTime` (ms UTC). */
export async function writeUnchanged(backupDir: string, { meta }: SnapshotInfo, exportTime: number): Promise<void> {
  await using backups = await open(backupDir);
  const changes = { account: meta.account, exportTime, takenAt: exportTime };
  const { kind } = await take(backups, `again-${exportTime}`, { 'chat.html': meta.capture }, changes);
  if (kind !== 'unchanged') throw new Error(`It is ${kind}, and not unchanged`);
}
