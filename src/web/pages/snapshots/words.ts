import { parseSnapshotName, type SnapshotMetadata, type SnapshotPlace } from '../../../snapshot/index.ts';
import { numeral } from '../../views/words.ts';

const DAY = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'long', year: 'numeric' });
const MONTH = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', month: 'long', year: 'numeric' });

/** When the export was made, ms UTC, by the snapshot's name, which damaged ones have, too. */
export function timeOf({ name }: Pick<SnapshotPlace, 'name'>): number {
  return parseSnapshotName(name)?.time ?? 0;
}

/** `21 November 2026` */
export function dayOf(snapshot: Pick<SnapshotPlace, 'name'>): string {
  return DAY.format(timeOf(snapshot));
}

/** `21 November 2026, 19:05 UTC`, with its number where several are of the same second. */
export function momentOf(snapshot: Pick<SnapshotPlace, 'name'>): string {
  const { time, ordinal } = parseSnapshotName(snapshot.name) ?? { time: 0, ordinal: 1 };
  const clockTime = new Date(time).toISOString().slice(11, 16);
  return `${DAY.format(time)}, ${clockTime} UTC${ordinal === 1 ? '' : ` (${ordinal})`}`;
}

/** `November 2026` */
export function monthOf(snapshot: Pick<SnapshotPlace, 'name'>): string {
  return MONTH.format(timeOf(snapshot));
}

/** What of it is on the disk once, for this snapshot and others together. */
export function sharingWords({ files, linkedFiles }: SnapshotMetadata): string {
  if (linkedFiles === 0) return 'shares no file with another snapshot';
  if (linkedFiles === files) return 'shares all files with another snapshot';
  return `shares ${numeral(linkedFiles)} of ${numeral(files)} files with another snapshot`;
}
