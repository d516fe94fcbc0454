/** Free space is watched, so that people make room before an export finds none. */
export { type DiskSettings, type DiskState, judgeDisk, limitOf } from './judge.ts';
export { diskEnough, diskFull, diskLow } from './messages.ts';
export { type DiskReport, DiskWatch, type DiskWatchOptions, diskReports } from './watch.ts';
