/** Copies of the snapshots elsewhere, made by restic and rclone; one file a program. */
export { Copier, type CopierOptions, missingOf } from './copier.ts';
export { createTool } from './create.ts';
export type { OffsiteNews } from './news.ts';
export { type OffsiteProgress, type OffsiteRecord, offsiteDirectory, offsiteRecordIn } from './record.ts';
export { type LocalExport, OffsiteError, type OffsiteTool } from './tool.ts';
