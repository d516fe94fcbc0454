/** The other side of `summarizeApart`: sums up the export in the directory that is its argument. */
import { answerApart } from '../apart-process.ts';
import { takeInventory } from '../inventory/build.ts';
import { summarize } from './summary.ts';

await answerApart(async () => summarize(await takeInventory(process.argv[2] ?? '')));
