import type { FolderEntry } from '../folder.ts';
import type { ZipEntry } from '../inspect.ts';
import type { Inspection, InspectionEntry } from '../inspection.ts';

/** What is unpacked, and into what. It goes to every thread, so it is plain data. */
export interface Task {
  readonly form: Inspection['form'];
  readonly archive: string;
  /** The archive's size when it was inspected. */
  readonly bytes: number;
  readonly target: string;
}

/** What one thread does in one go. */
export type Job =
  | { readonly kind: 'zip-entries'; readonly entries: readonly ZipEntry[] }
  | { readonly kind: 'folder-entries'; readonly entries: readonly FolderEntry[] }
  /** The SHA-256 of the archive itself. */
  | { readonly kind: 'archive-hash' };

/** Small files go to a thread together: asking for each would take longer than unpacking it. */
const BATCH_BYTES = 2 * 1024 * 1024;
const BATCH_FILES = 100;

/** What a file costs beside its bytes (create, set the time, close), as bytes that unpack in the same time. */
const FILE_COST_BYTES = 16 * 1024;
/** A byte of the archive is read and hashed; one of a file is also inflated and written. */
const ARCHIVE_COST = 0.4;

/**
 * The jobs that an archive makes, the longest first, so that all threads end at about the same time (LPT rule: R. L.
 * Graham, 1969). Small files that are neighbours stay together: they are read in one go, and lie in one directory.
 */
export function planJobs(inspection: Inspection): Job[] {
  const jobs: { readonly job: Job; readonly cost: number }[] =
    inspection.form === 'zip'
      ? [
          { job: { kind: 'archive-hash' }, cost: inspection.bytes * ARCHIVE_COST },
          ...batches(inspection.entries).map(({ entries, cost }) => ({
            job: { kind: 'zip-entries', entries } as const,
            cost,
          })),
        ]
      : batches(inspection.entries).map(({ entries, cost }) => ({
          job: { kind: 'folder-entries', entries } as const,
          cost,
        }));
  return jobs.sort((a, b) => b.cost - a.cost).map(({ job }) => job);
}

function batches<E extends InspectionEntry>(entries: readonly E[]): { entries: E[]; cost: number }[] {
  const all: { entries: E[]; cost: number }[] = [];
  for (const entry of entries) {
    const cost = entry.bytes + FILE_COST_BYTES;
    const last = all.at(-1);
    if (last !== undefined && last.entries.length < BATCH_FILES && last.cost + cost <= BATCH_BYTES) {
      last.entries.push(entry);
      last.cost += cost;
    } else {
      all.push({ entries: [entry], cost });
    }
  }
  return all;
}
