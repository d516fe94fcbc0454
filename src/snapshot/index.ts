/** staging → committed snapshot; hard links, list, verify, the directory's lock. */
export { type BackupDirectory, openBackupDirectory, type SnapshotCriteria } from './backup-directory.ts';
export type { CommitResult, SnapshotDraft } from './commit.ts';
export type { SnapshotFile } from './links.ts';
export { listSnapshots, type SnapshotInfo, type SnapshotList } from './list.ts';
export type { SnapshotMetadata, SnapshotSource } from './metadata.ts';
export { accountDirectory, snapshotName } from './names.ts';
export { type VerifyOptions, type VerifyProblem, type VerifyReport, verifySnapshot } from './verify.ts';
