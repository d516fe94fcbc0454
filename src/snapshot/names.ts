import { sha256 } from '../lib/hash.ts';

/** What is ours in a backup directory, and in a snapshot. */
export const OWN_DIRECTORY = '.chatkeep';
export const SUMS_FILE = `${OWN_DIRECTORY}/SHA256SUMS`;
export const METADATA_FILE = `${OWN_DIRECTORY}/snapshot.json`;
/** Below an account's directory: a record for each export that was unchanged, by the time of the export. */
export const UNCHANGED_DIRECTORY = `${OWN_DIRECTORY}/unchanged`;
export const README_FILE = 'README.txt';
/** The link in an account's directory to its newest snapshot. */
export const LATEST = 'latest';

/** As the setting `account` takes it: every file system and NAS share does, too. */
const ACCOUNT = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/;
const WINDOWS_DEVICE = /^(con|prn|aux|nul|(com|lpt)[0-9])(\.|$)/i;
/** Room for the eight digits that keep two names apart. */
const LONGEST_STEM = 90;

/**
 * The directory of an account, from its email address (or the name in the configuration). An address is taken in lower
 * case. What cannot be in a directory's name becomes `_`, and eight digits of the SHA-256 of the whole keep two
 * addresses apart. The same for its own result.
 */
export function accountDirectory(emailOrName: string): string {
  const name = emailOrName.includes('@') ? emailOrName.trim().toLowerCase() : emailOrName.trim();
  if (isAccountDirectory(name)) return name;
  const stem = name.replace(/[^A-Za-z0-9._@+-]+/g, '_').replace(/^[^A-Za-z0-9]+/, '');
  return `account-${stem}`.slice(0, LONGEST_STEM).concat('-', sha256(name).slice(0, 8));
}

/** Whether a directory of this name can be an account's. */
export function isAccountDirectory(name: string): boolean {
  return (
    ACCOUNT.test(name) &&
    !name.endsWith('.') &&
    !WINDOWS_DEVICE.test(name) &&
    name.toLowerCase() !== README_FILE.toLowerCase()
  );
}

/** The moment, and which of several snapshots of the same second. */
export interface SnapshotStamp {
  /** ms UTC, whole seconds. */
  readonly time: number;
  /** 1 for the first, which has no suffix. */
  readonly ordinal: number;
}

const SNAPSHOT_NAME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2})(\d{2})(\d{2})Z(?:-([2-9]|[1-9]\d{1,5}))?$/;

/**
 * The name of a snapshot: when the export was made, UTC, to the second: `2026-11-21T190533Z` (ISO 8601 without colons,
 * which NAS shares refuse). The second of the same second is `…Z-2`.
 *
 * @param exportTime ms UTC, of the years 0 to 9999
 */
export function snapshotName(exportTime: number, ordinal = 1): string {
  const stamp = new Date(exportTime).toISOString().slice(0, 19).replaceAll(':', '');
  return ordinal === 1 ? `${stamp}Z` : `${stamp}Z-${ordinal}`;
}

const RECORD_SUFFIX = '.json';

/** The file name of an unchanged export's record: `2026-11-21T190533Z.json`. */
export function recordName(exportTime: number, ordinal = 1): string {
  return `${snapshotName(exportTime, ordinal)}${RECORD_SUFFIX}`;
}

/** Whether a file of this name can be the record of an unchanged export. */
export function isRecordName(name: string): boolean {
  return name.endsWith(RECORD_SUFFIX) && parseSnapshotName(name.slice(0, -RECORD_SUFFIX.length)) !== undefined;
}

/** What a snapshot's name says, or undefined if it is not one. */
export function parseSnapshotName(name: string): SnapshotStamp | undefined {
  const match = SNAPSHOT_NAME.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, ordinal] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // `2026-02-30` parses as a day in March: not a name that was ever given.
  const stamp = { time, ordinal: ordinal === undefined ? 1 : Number(ordinal) };
  return Number.isFinite(time) && snapshotName(stamp.time, stamp.ordinal) === name ? stamp : undefined;
}

/** Oldest first. */
export function compareStamps(a: SnapshotStamp, b: SnapshotStamp): number {
  return a.time - b.time || a.ordinal - b.ordinal;
}
