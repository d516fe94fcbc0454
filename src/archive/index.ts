/** archive → files in a staging directory, safely. */
export { type ArchiveBudgets, type ArchiveEntry, type Inspection, inspectArchive } from './inspect.ts';
export { readSmallFile } from './read-small-file.ts';
export { ArchiveRefusal, type ArchiveRefusalReason } from './refusal.ts';
export { type UnpackedFile, type UnpackOptions, unpackArchive } from './unpack.ts';
