import { compareInventories } from './compare.ts';
import type { ComparedApart } from './compare-apart.ts';
import { readInventory } from './file.ts';

/** Nobody reads a longer list; the counts are of all. */
const LISTED_AT_MOST = 2000;

/**
 * The work of `compareInventoriesApart`, done here.
 * @throws what the file system says
 */
export async function compareInventoryFiles(olderFile: string, newerFile: string): Promise<ComparedApart | undefined> {
  const older = await readInventory(olderFile);
  const newer = await readInventory(newerFile);
  if (older === undefined || newer === undefined) return undefined;
  const { conversations, assets, ...rest } = compareInventories(older, newer);
  const { added, changed, gone, noLongerCarried, unchanged } = conversations;
  return {
    ...rest,
    conversations: {
      added: someOf(added),
      changed: someOf(changed),
      gone: someOf(gone),
      noLongerCarried: someOf(noLongerCarried),
      unchanged,
    },
    assets: { added: assets.added.length, gone: assets.gone.length, noLongerCarried: assets.noLongerCarried.length },
  };
}

function someOf<T>(all: readonly T[]): { count: number; listed: T[] } {
  return { count: all.length, listed: all.slice(0, LISTED_AT_MOST) };
}
