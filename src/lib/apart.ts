import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Apart {
  /** The program. */
  readonly file: URL;
  readonly args?: readonly string[];
  /** What V8 may take for objects and texts. */
  readonly heapMegabytes: number;
  /** All that it may read; it can then do nothing else: no writing, no processes, no threads. Else it is not fenced in. */
  readonly mayOnlyRead?: readonly string[];
  /** Of a process that is fenced in: all that it may write, too. */
  readonly mayWrite?: readonly string[];
}

export interface ApartOptions extends Apart {
  readonly signal: AbortSignal;
  /** The first message that the process gets. */
  readonly question?: object;
  /** Told of each message of the process; gives whether it is the answer. */
  readonly isAnswer?: (message: unknown) => boolean;
}

/** Of the memory that the process and its parent have together, where a container limits it: the parent needs the rest. */
const SHARE_OF_LIMIT = 0.4;
/** Half of what V8 would take, in each thread, for new objects; the work is as fast. */
const SEMI_SPACE_MEGABYTES = 8;
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
  const { signal, question, isAnswer = () => true } = options;
  signal.throwIfAborted();
  const child = await startApart(options);
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

/**
 * Starts a program of ours in a process of its own, without any environment; where memory runs short, it is the first to
 * go. Messages may hold whatever the structured clone takes.
 */
export async function startApart(options: Apart): Promise<ChildProcess> {
  const { file, args = [], heapMegabytes } = options;
  const child = fork(file, [...args], {
    env: {},
    execArgv: [...memoryFlags(heapMegabytes), ...fence(options)],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  await writeFile(`/proc/${child.pid}/oom_score_adj`, ENDED_FIRST).catch(() => {});
  return child;
}

/** Node's options for what V8 may take in a process that is started by {@link startApart}. */
export function memoryFlags(heapMegabytes: number): string[] {
  return [`--max-old-space-size=${heapWithinLimit(heapMegabytes)}`, `--max-semi-space-size=${SEMI_SPACE_MEGABYTES}`];
}

/** Our own files, and the packages that they use, wherever npm has put those: what a fenced program reads to run. */
export function programFiles(): string[] {
  const packages = dirname(dirname(fileURLToPath(import.meta.resolve('zod/package.json'))));
  return [fileURLToPath(new URL('../', import.meta.url)), packages];
}

function heapWithinLimit(megabytes: number): number {
  const limit = process.constrainedMemory() / 2 ** 20;
  return limit === 0 ? megabytes : Math.min(megabytes, Math.floor(limit * SHARE_OF_LIMIT));
}

/** Node's permission model (https://nodejs.org/api/permissions.html). */
function fence({ mayOnlyRead, mayWrite = [] }: Apart): string[] {
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
