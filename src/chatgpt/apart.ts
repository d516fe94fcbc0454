import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { askApart } from '../lib/apart.ts';
import { MINUTE_MS } from '../lib/clock.ts';

/** What V8 may take for objects and texts; a conversation at the edge of the budget needs most of it. */
const HEAP_MEGABYTES = 1024;
/** A gigabyte of conversations takes half a minute, and some minutes on the slowest machines. */
const TIME_LIMIT_MS = 20 * MINUTE_MS;

const errorSchema = z.object({ error: z.string() });

export interface ApartOptions {
  readonly signal: AbortSignal;
  readonly heapMegabytes?: number;
  /** All that the program may read, beside its own files, if it may do nothing else. */
  readonly mayOnlyRead?: readonly string[];
  readonly timeLimitMs?: number;
}

/**
 * Has a program of ours read an export in a process of its own, and gives what it answers. An export can make a JSON
 * parser take all memory or more time than anybody has (a thread would pull the service down with it); here that ends
 * the process, and nothing else. It gets no environment, since secrets may be in there.
 *
 * @param program sends one message: its answer, or `{ error }`
 * @throws Error if the export could not be read, or the process died or took too long; the signal's reason
 */
export async function runApart(program: URL, args: readonly string[], options: ApartOptions): Promise<unknown> {
  const { signal, heapMegabytes = HEAP_MEGABYTES, mayOnlyRead, timeLimitMs = TIME_LIMIT_MS } = options;
  const fenced = mayOnlyRead === undefined ? {} : { mayOnlyRead: [...mayOnlyRead, ...programFiles()] };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]);
  const answer = await askApart({ file: program, args, heapMegabytes, ...fenced, signal: limit });
  const failed = errorSchema.safeParse(answer);
  if (failed.success) throw new Error(`The export could not be read (${failed.data.error}).`);
  return answer;
}

/** Our own files, and the packages that they use, wherever npm has put those. */
function programFiles(): string[] {
  const packages = dirname(dirname(fileURLToPath(import.meta.resolve('zod/package.json'))));
  return [fileURLToPath(new URL('../../', import.meta.url)), packages];
}
