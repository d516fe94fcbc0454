import { summarize, takeInventory, writeInventory } from '../../src/chatgpt/index.ts';
import type { TakeStock } from '../../src/retention/index.ts';

/** Takes stock without a process of its own. */
export const takeStockHere: TakeStock = async (directory, file, { signal }) => {
  const inventory = await takeInventory(directory, { signal });
  await writeInventory(file, inventory);
  return { summary: summarize(inventory), unwritten: undefined };
};
