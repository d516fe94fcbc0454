import { errorMessage } from '../lib/errors.ts';

/** The other side of `runApart`: does the work, and sends what it gives, or what went wrong. */
export async function answerApart(work: () => Promise<object>): Promise<void> {
  process.once('disconnect', () => process.exit());
  // A process that ended by itself could be gone before its answer has arrived: it is the other side that ends it.
  process.channel?.ref();
  try {
    process.send?.(await work());
  } catch (error) {
    process.send?.({ error: errorMessage(error) });
  }
}
