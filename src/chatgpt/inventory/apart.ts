import { extname } from 'node:path';
import { type ApartOptions, runApart } from '../apart.ts';

/**
 * Takes stock of the export in a directory, in a process of its own of low priority, and writes the inventory to a file (see
 * `readInventory`).
 *
 * @throws what {@link runApart} throws
 */
export async function takeInventoryApart(directory: string, file: string, options: ApartOptions): Promise<void> {
  // Compiled or not, the process's file lies beside this one and ends as this one does.
  const program = new URL(`./process${extname(import.meta.url)}`, import.meta.url);
  await runApart(program, [directory, file], options);
}
