import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sha256 } from '../../src/lib/hash.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import {
  type BackupDirectory,
  type CommitResult,
  openBackupDirectory,
  type SnapshotDraft,
  type SnapshotInfo,
} from '../../src/snapshot/index.ts';

export const EXPORT_TIME = Date.UTC(2026, 10, 21, 19, 5, 33);
export const DAY_MS = 86_400_000;

export function open(path: string): Promise<BackupDirectory> {
  return openBackupDirectory(path, { logger: silentLogger });
}

/** Stages files for a capture, as the archive room would, and gives the draft of the snapshot. */
export async function stage(
  backups: BackupDirectory,
  capture: string,
  files: Readonly<Record<string, string>>,
  changes: Partial<SnapshotDraft> = {},
): Promise<SnapshotDraft> {
  const staging = await backups.createStaging(capture);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(staging, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(staging, path), content, { mode: 0o600 });
  }
  return {
    capture,
    account: 'Ann@example.org',
    exportId: `export-${capture}`,
    exportTime: EXPORT_TIME,
    source: { kind: 'file', name: 'export.zip' },
    archive: { form: 'zip', sha256: sha256(capture), bytes: 1000 },
    files: Object.entries(files).map(([path, content]) => ({
      path,
      bytes: Buffer.byteLength(content),
      sha256: sha256(content),
    })),
    describe: async () => ({ counts: { conversations: 2 }, findings: [] }),
    takenAt: EXPORT_TIME + 60_000,
    ...changes,
  };
}

/** Stages and commits. */
export async function take(
  backups: BackupDirectory,
  capture: string,
  files: Readonly<Record<string, string>>,
  changes: Partial<SnapshotDraft> = {},
): Promise<CommitResult> {
  return backups.commit(await stage(backups, capture, files, changes));
}

/** Stages and commits what must become a snapshot. */
export async function takeNew(...what: Parameters<typeof take>): Promise<SnapshotInfo> {
  const result = await take(...what);
  if (result.kind !== 'committed') throw new Error(`It was not committed, but ${result.kind}`);
  return result.snapshot;
}

/** What a stranger without the program does. */
export async function sha256sumCheck(snapshot: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sha256sum', ['-c', '.chatkeep/SHA256SUMS'], { cwd: snapshot });
  return stdout;
}
