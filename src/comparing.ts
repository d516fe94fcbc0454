import { type ComparedApart, compareInventoriesApart } from './chatgpt/index.ts';
import type { Logger } from './lib/logger.ts';
import { Inventories } from './retention/index.ts';
import type { SnapshotPlace } from './snapshot/index.ts';

/**
 * Compares two snapshots of an account, off this process's event loop; the inventories that are taken for it are kept.
 * Undefined where one of them is too damaged for anything to be said.
 *
 * @throws Error if the work could not be done; the signal's reason
 */
export async function compareSnapshots(
  older: SnapshotPlace,
  newer: SnapshotPlace,
  options: { readonly stateDir: string; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<ComparedApart | undefined> {
  const inventories = new Inventories(options);
  const compare = async () => {
    const [before, after] = [await inventories.fileOf(older), await inventories.fileOf(newer)];
    if (before === undefined || after === undefined) return 'damaged' as const;
    return compareInventoriesApart(before, after, options);
  };
  let compared = await compare();
  if (compared === undefined) {
    // What was kept of them is no inventory any more.
    for (const snapshot of [older, newer]) await inventories.forget(snapshot);
    compared = await compare();
  }
  return compared === 'damaged' ? undefined : compared;
}
