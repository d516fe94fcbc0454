/** The other side of `takeStockApart`: its arguments are the export's directory, the file to write, and perhaps `in-background`. */
import { constants, setPriority } from 'node:os';
import { errorMessage } from '../../lib/errors.ts';
import { answerApart } from '../apart-process.ts';
import { takeInventory } from '../inventory/build.ts';
import { writeInventory } from '../inventory/file.ts';
import { summarize } from './summary.ts';

const [, , directory = '', file = '', priority] = process.argv;
await answerApart(async () => {
  if (priority !== undefined) setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const inventory = await takeInventory(directory);
  const summary = summarize(inventory);
  try {
    await writeInventory(file, inventory);
    return { summary };
  } catch (error) {
    return { summary, unwritten: errorMessage(error) };
  }
});
