import type { Catalog } from '../catalog/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';

/** What the pages are made of; the service hands it in. */
export interface WebSources {
  /** Where snapshots lie. */
  readonly backupDir: string;
  /** The search index as it is now; undefined where there is none yet. It belongs to whoever hands it in. */
  readonly catalog: () => Catalog | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}
