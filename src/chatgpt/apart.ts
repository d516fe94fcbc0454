import * as z from 'zod';
import { askApart, programFiles } from '../lib/apart.ts';
import { MINUTE_MS } from '../lib/clock.ts';
import { TimeLimit } from '../lib/signals.ts';

/** What V8 may take for objects and texts; a conversation at the edge of the budget needs most of it. */
const HEAP_MEGABYTES = 1024;
/** A gigabyte of conversations takes half a minute, and some minutes on the slowest machines. */
const TIME_LIMIT_MS = 20 * MINUTE_MS;

const errorSchema = z.object({ error: z.string() });

export interface ApartOptions {
  readonly signal: AbortSignal;
  readonly heapMegabytes?: number;
  readonly timeLimitMs?: number;
}

/** All that a program may do, beside reading its own files. */
export interface Fence {
  readonly read: readonly string[];
  readonly write?: readonly string[];
}

/**
 * Has a program of ours read an export in a process of its own, and gives what it answers. An export can make a JSON
 * parser take all memory or more time than anybody has (a thread would pull the service down with it); here that ends
 * the process, and nothing else. It gets no environment, since secrets may be in there.
 *
 * @param program sends one message: its answer, or `{ error }`
 * @throws Error if the export could not be read, or the process died or took too long; the signal's reason
 */
export async function runApart(
  program: URL,
  args: readonly string[],
  fence: Fence,
  { signal, heapMegabytes = HEAP_MEGABYTES, timeLimitMs = TIME_LIMIT_MS }: ApartOptions,
): Promise<unknown> {
  using limit = new TimeLimit(timeLimitMs, 'Reading the export took too long.', signal);
  const answer = await askApart({
    file: program,
    args,
    heapMegabytes,
    mayOnlyRead: [...fence.read, ...programFiles()],
    mayWrite: fence.write ?? [],
    signal: limit.signal,
  });
  const failed = errorSchema.safeParse(answer);
  if (failed.success) throw new Error(`The export could not be read (${failed.data.error}).`);
  return answer;
}
