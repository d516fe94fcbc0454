/** staging → committed snapshot; hard links, list, verify, restore, removal, the directory's lock. */
export { type BackupDirectory, openBackupDirectory, type SnapshotCriteria } from './backup-directory.ts';
export type { CommitResult, SnapshotDraft } from './commit.ts';
export { identityOf, isSound, readSumsOf } from './copies.ts';
export { readEntries, type SnapshotEntries, type SnapshotEntry, statEntries } from './entries.ts';
export { type KeptExport, keptExports } from './kept.ts';
export type { SnapshotFile } from './links.ts';
export { type DamagedSnapshot, listSnapshots, type SnapshotList } from './list.ts';
export { attachmentsOf, type SnapshotMetadata, type SnapshotSource } from './metadata.ts';
export { accountDirectory, parseSnapshotName, SUMS_FILE, snapshotName } from './names.ts';
export type { SnapshotInfo, SnapshotPlace } from './place.ts';
export { type RestoreOptions, type RestoreReport, restoreSnapshot } from './restore.ts';
export { allSnapshots, selectSnapshot, selectSnapshots } from './select.ts';
export { endOfStretch, isInStretch, nextStretch, type Stretch, WHOLE_CIRCLE } from './stretch.ts';
export { digestOfSums, type UnchangedExport } from './unchanged.ts';
export { type VerifyOptions, type VerifyProblem, type VerifyReport, verifySnapshot } from './verify.ts';
export {
  checkLatest,
  type LatestProblem,
  type SnapshotReport,
  type TracedProblem,
  type VerifyAllOptions,
  verifySnapshots,
} from './verify-all.ts';
