/** The other side of `updateCatalog`: brings the catalog up to date, and tells how far it is. */
import { constants, setPriority } from 'node:os';
import * as z from 'zod';
import { errorMessage } from '../lib/errors.ts';
import { openForWriting, removeCatalog } from './database.ts';
import { indexSnapshots } from './indexing/indexer.ts';

const questionSchema = z.object({
  directory: z.string(),
  rebuild: z.boolean(),
  sources: z.array(
    z.object({
      account: z.string(),
      name: z.string(),
      directory: z.string(),
      exportTime: z.number(),
      sums: z.record(z.string(), z.string()),
    }),
  ),
});

const TELL_EVERY_MS = 200;

process.once('disconnect', () => process.exit());
// A process that ended by itself could be gone before its answer has arrived: it is the other side that ends it.
process.channel?.ref();
process.once('message', (question: unknown) => {
  void answer(question);
});

async function answer(question: unknown): Promise<void> {
  try {
    const { directory, rebuild, sources } = questionSchema.parse(question);
    // Whoever waits for nothing else shall have the processor first.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    if (rebuild) removeCatalog(directory);
    using database = openForWriting(directory);
    let toldAt = 0;
    const report = await indexSnapshots(database, sources, {
      onProgress: (done, total) => {
        if (performance.now() - toldAt < TELL_EVERY_MS) return;
        toldAt = performance.now();
        process.send?.({ progress: { done, total } });
      },
    });
    process.send?.({ report });
  } catch (error) {
    process.send?.({ error: errorMessage(error) });
  }
}
