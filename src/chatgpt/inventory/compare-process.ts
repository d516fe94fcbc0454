/** The other side of `compareInventoriesApart`: its arguments are the files of two inventories. */
import { constants, setPriority } from 'node:os';
import { answerApart } from '../apart-process.ts';
import { compareInventoryFiles } from './compare-files.ts';

const [, , older = '', newer = ''] = process.argv;
await answerApart(async () => {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  return { compared: await compareInventoryFiles(older, newer) };
});
