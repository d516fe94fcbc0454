import { readFile } from 'node:fs/promises';
import * as z from 'zod';

/** The program's version, from its package.json (two levels up, from src/cli as from dist/cli). */
export async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
