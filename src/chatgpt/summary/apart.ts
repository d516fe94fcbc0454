import { dirname } from 'node:path';
import * as z from 'zod';
import { programBeside } from '../../lib/program-beside.ts';
import { type ApartOptions, runApart } from '../apart.ts';
import type { ExportSummary } from './summary.ts';

/** What came of taking stock of an export. */
export interface Stock {
  readonly summary: ExportSummary;
  /** Why there is no inventory on the disk; undefined where it was written. */
  readonly unwritten: string | undefined;
}

export interface StockOptions extends ApartOptions {
  /** Nobody waits for it: it is to leave the processor to others. */
  readonly inBackground?: boolean;
}

const stockSchema = z.object({
  summary: z.object({ counts: z.record(z.string(), z.number()), findings: z.array(z.string()) }),
  unwritten: z.string().optional(),
});

/**
 * Reads the export in a directory once, in a process of its own, sums it up and writes its inventory to a file (see
 * `readInventory`). The process can do nothing but read that directory and write into the one of the file, in which nothing
 * else should lie that matters. An inventory that cannot be written takes nothing from the summary.
 *
 * @throws what {@link runApart} throws
 */
export async function takeStockApart(directory: string, file: string, options: StockOptions): Promise<Stock> {
  const program = programBeside(import.meta.url, './process');
  const priority = options.inBackground === true ? ['in-background'] : [];
  const fence = { read: [directory, dirname(file)], write: [dirname(file)] };
  const answer = await runApart(program, [directory, file, ...priority], fence, options);
  const { summary, unwritten } = stockSchema.parse(answer);
  return { summary, unwritten };
}
