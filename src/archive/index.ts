/** archive → files in a staging directory, safely. An archive is a ZIP, or the folder that one was unpacked into. */
export type { ArchiveBudgets } from './inspect.ts';
export { type Inspection, type InspectionEntry, inspectArchive } from './inspection.ts';
export { readSmallFile } from './read-small-file.ts';
export { ArchiveRefusal, type ArchiveRefusalReason } from './refusal.ts';
export { sha256OfArchive, unpackAndHash } from './sha256.ts';
export { type UnpackedFile, type UnpackOptions, unpackArchive } from './unpack.ts';
