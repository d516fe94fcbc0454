/** The other side of `summarizeApart`: sums up the export in the directory that is its argument, and sends the result. */
import { errorMessage } from '../../lib/errors.ts';
import { takeInventory } from '../inventory/build.ts';
import { summarize } from './summary.ts';

process.once('disconnect', () => process.exit());
// A process that ended by itself could be gone before its answer has arrived: it is the other side that ends it.
process.channel?.ref();
try {
  process.send?.(summarize(await takeInventory(process.argv[2] ?? '')));
} catch (error) {
  process.send?.({ error: errorMessage(error) });
}
