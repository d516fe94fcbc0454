/** archive → files in a staging directory, safely. An archive is a ZIP, or the folder that one was unpacked into. */

export { type OpenedArchive, openInnerArchives } from './inner.ts';
export type { ArchiveBudgets } from './inspect.ts';
export { type Inspection, type InspectionEntry, inspectArchive } from './inspection.ts';
export { ArchiveRefusal, type ArchiveRefusalReason } from './refusal.ts';
export { sha256OfArchive } from './sha256.ts';
export { type Unpacked, type UnpackedFile, type UnpackOptions, unpackArchive } from './unpack.ts';
