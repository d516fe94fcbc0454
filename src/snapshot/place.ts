import type { SnapshotMetadata } from './metadata.ts';

/** Where a snapshot lies. */
export interface SnapshotPlace {
  /** `<account>/<name>`, from where it lies. */
  readonly id: string;
  readonly account: string;
  /** When the export was made: `2026-11-21T190533Z`. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** A committed snapshot. */
export interface SnapshotInfo extends SnapshotPlace {
  readonly meta: SnapshotMetadata;
}
