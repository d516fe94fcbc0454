import { extname } from 'node:path';
import { z } from 'zod';
import { type ApartOptions, runApart } from '../apart.ts';
import type { ExportSummary } from './summary.ts';

const summarySchema = z.object({ counts: z.record(z.string(), z.number()), findings: z.array(z.string()) });

/**
 * Reads the export in a directory and sums it up, in a process of its own, which can do nothing but read it.
 * @throws what {@link runApart} throws
 */
export async function summarizeApart(directory: string, options: ApartOptions): Promise<ExportSummary> {
  // Compiled or not, the process's file lies beside this one and ends as this one does.
  const program = new URL(`./process${extname(import.meta.url)}`, import.meta.url);
  return summarySchema.parse(await runApart(program, [directory], { ...options, mayOnlyRead: [directory] }));
}
