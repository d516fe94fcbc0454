import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { MINUTE_MS } from '../lib/clock.ts';

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

/**
 * Has a program of ours read an export in a process of its own, and gives what it answers. An export can make a JSON
 * parser take all memory or more time than anybody has (a thread would pull the service down with it); here that ends
 * the process, and nothing else. It gets no environment, since secrets may be in there.
 *
 * @param program sends one message: its answer, or `{ error }`
 * @throws Error if the export could not be read, or the process died or took too long; the signal's reason
 */
export async function runApart(program: URL, args: readonly string[], options: ApartOptions): Promise<unknown> {
  const { signal, heapMegabytes = HEAP_MEGABYTES, timeLimitMs = TIME_LIMIT_MS } = options;
  signal.throwIfAborted();
  const child = fork(program, [...args], {
    env: {},
    execArgv: [`--max-old-space-size=${heapMegabytes}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  try {
    const answer = await answerOf(child, AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]));
    const failed = errorSchema.safeParse(answer);
    if (failed.success) throw new Error(`The export could not be read (${failed.data.error}).`);
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await end(child);
  }
}

async function answerOf(child: ChildProcess, signal: AbortSignal): Promise<unknown> {
  const answered = new AbortController();
  const either = { signal: AbortSignal.any([signal, answered.signal]) };
  const died = once(child, 'exit', either).then(([code, killedBy]) => {
    throw new Error(`The process that read the export died (${killedBy ?? `exit code ${code}`}).`);
  });
  try {
    const [answer]: unknown[] = await Promise.race([once(child, 'message', either), died]);
    return answer;
  } finally {
    answered.abort();
  }
}

/** Until it is gone, it may have files open in the directory. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
