import type { SnapshotList } from './list.ts';
import type { SnapshotMetadata } from './metadata.ts';
import type { SnapshotInfo } from './place.ts';
import type { UnchangedExport } from './unchanged.ts';

/** An export that is in the backup: as a snapshot of its own, or as one that holds the very same files. */
export type KeptExport =
  | { readonly kind: 'snapshot'; readonly id: string; readonly meta: SnapshotMetadata; readonly snapshot: SnapshotInfo }
  | UnchangedExport;

/** Every export that is in the backup, the oldest first. */
export function keptExports({ snapshots, unchanged }: Pick<SnapshotList, 'snapshots' | 'unchanged'>): KeptExport[] {
  const own = snapshots.map(
    (snapshot) => ({ kind: 'snapshot', id: snapshot.id, meta: snapshot.meta, snapshot }) as const,
  );
  return [...own, ...unchanged].sort((a, b) => a.meta.exportTime - b.meta.exportTime);
}
