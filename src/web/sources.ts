import type { Catalog } from '../catalog/index.ts';
import type { ComparedApart } from '../chatgpt/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { SnapshotPlace } from '../snapshot/index.ts';

/** What the pages are made of; the service hands it in. */
export interface WebSources {
  /** Where snapshots lie. */
  readonly backupDir: string;
  /** Where the search index lies, for what reads it in a process or a thread of its own. */
  readonly catalogDirectory: string;
  /** The search index as it is now; undefined where there is none yet. It belongs to whoever hands it in. */
  readonly catalog: () => Catalog | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Compares two snapshots; undefined where one of them is too damaged for anything to be said. */
  readonly compare: (
    older: SnapshotPlace,
    newer: SnapshotPlace,
    signal: AbortSignal,
  ) => Promise<ComparedApart | undefined>;
  /** Aborts when the service stops: what goes on behind the pages ends then. */
  readonly signal: AbortSignal;
}
