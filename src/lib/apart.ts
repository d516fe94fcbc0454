import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';

export interface ApartOptions {
  /** The program. */
  readonly file: URL;
  readonly args?: readonly string[];
  /** What V8 may take for objects and texts. */
  readonly heapMegabytes: number;
  /** All that it may read; it can then do nothing else: no writing, no processes, no threads. Else it is not fenced in. */
  readonly mayOnlyRead?: readonly string[];
  /** Of a process that is fenced in: all that it may write, too. */
  readonly mayWrite?: readonly string[];
  readonly signal: AbortSignal;
  /** The first message that the process gets. */
  readonly question?: object;
  /** Told of each message of the process; gives whether it is the answer. */
  readonly isAnswer?: (message: unknown) => boolean;
}

/** Of the memory that the process and its parent have together, where a container limits it: the parent needs the rest. */
const SHARE_OF_LIMIT = 0.4;
/** Whom the kernel ends first when a container's memory is used up (proc_pid_oom_score_adj(5)). */
const ENDED_FIRST = '1000';

/**
 * Runs a program of ours in a process of its own, and gives its answer: the first message that is one. Where work may
 * take all memory or more time than anybody has, that ends the process and nothing else. It gets no environment, since
 * secrets may be in there, and is gone when this settles.
 *
 * @throws Error if the process died before it answered; the signal's reason
 */
export async function askApart(options: ApartOptions): Promise<unknown> {
  const { file, args = [], heapMegabytes, signal, question, isAnswer = () => true } = options;
  signal.throwIfAborted();
  const child = fork(file, [...args], {
    env: {},
    execArgv: [`--max-old-space-size=${heapWithinLimit(heapMegabytes)}`, ...fence(options)],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  await writeFile(`/proc/${child.pid}/oom_score_adj`, ENDED_FIRST).catch(() => {});
  try {
    if (question !== undefined) child.send(question);
    return await answerOf(child, isAnswer, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await end(child);
  }
}

function heapWithinLimit(megabytes: number): number {
  const limit = process.constrainedMemory() / 2 ** 20;
  return limit === 0 ? megabytes : Math.min(megabytes, Math.floor(limit * SHARE_OF_LIMIT));
}

/** Node's permission model (https://nodejs.org/api/permissions.html). */
function fence({ mayOnlyRead, mayWrite = [] }: ApartOptions): string[] {
  if (mayOnlyRead === undefined) return [];
  return [
    '--permission',
    ...mayOnlyRead.map((path) => `--allow-fs-read=${path}`),
    ...mayWrite.map((path) => `--allow-fs-write=${path}`),
  ];
}

async function answerOf(
  child: ChildProcess,
  isAnswer: (message: unknown) => boolean,
  signal: AbortSignal,
): Promise<unknown> {
  const settled = new AbortController();
  const either = { signal: AbortSignal.any([signal, settled.signal]) };
  const died = once(child, 'exit', either).then(([code, killedBy]) => {
    throw new Error(`The process died (${killedBy ?? `exit code ${code}`}).`);
  });
  const answered = new Promise<unknown>((resolve) => {
    child.on('message', (message: unknown) => {
      if (isAnswer(message)) resolve(message);
    });
  });
  try {
    return await Promise.race([answered, died]);
  } finally {
    settled.abort();
    died.catch(() => {});
  }
}

/** Until it is gone, it may have files open. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
