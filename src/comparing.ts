import { type ComparedApart, compareInventoriesApart } from './chatgpt/index.ts';
import { Inventories, type InventoriesOptions } from './retention/index.ts';
import type { SnapshotPlace } from './snapshot/index.ts';

/** Compares the inventories in two files, the older one first; undefined where one of them is no inventory. */
export type CompareStock = (
  older: string,
  newer: string,
  options: { readonly signal: AbortSignal },
) => Promise<ComparedApart | undefined>;

export interface ComparingOptions extends InventoriesOptions {
  /** In a process of its own unless told. */
  readonly compareStock?: CompareStock | undefined;
}

/**
 * Compares two snapshots of an account, off this process's event loop; the inventories that are taken for it are kept.
 * Undefined where one of them is too damaged for anything to be said.
 *
 * @throws Error if the work could not be done; the signal's reason
 */
export async function compareSnapshots(
  older: SnapshotPlace,
  newer: SnapshotPlace,
  options: ComparingOptions,
): Promise<ComparedApart | undefined> {
  const { compareStock = compareInventoriesApart } = options;
  const inventories = new Inventories(options);
  const compare = async () => {
    const [before, after] = [await inventories.fileOf(older), await inventories.fileOf(newer)];
    if (before === undefined || after === undefined) return 'damaged' as const;
    return compareStock(before, after, options);
  };
  let compared = await compare();
  if (compared === undefined) {
    // What was kept of them is no inventory any more.
    for (const snapshot of [older, newer]) await inventories.forget(snapshot);
    compared = await compare();
  }
  return compared === 'damaged' ? undefined : compared;
}
