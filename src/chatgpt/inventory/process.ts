/** The other side of `takeInventoryApart`: its arguments are the export's directory and the file to write. */
import { constants, setPriority } from 'node:os';
import { answerApart } from '../apart-process.ts';
import { takeInventory } from './build.ts';
import { writeInventory } from './file.ts';

const [, , directory = '', file = ''] = process.argv;
await answerApart(async () => {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  await writeInventory(file, await takeInventory(directory));
  return {};
});
