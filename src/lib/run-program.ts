import { execFile } from 'node:child_process';
import { SECOND_MS } from './clock.ts';
import { errorCode } from './errors.ts';

export interface RunLimits {
  readonly signal: AbortSignal;
  /** It is killed after that, ms. */
  readonly timeoutMs: number;
  readonly mostOutputBytes: number;
  /** What it gets on standard input; else that is closed at once. */
  readonly input?: string;
}

/** How a program ended. `fault` is the predicate of a sentence: "ended with exit code 3". */
export type ProgramRun =
  | { readonly kind: 'output'; readonly text: string }
  | { readonly kind: 'failed'; readonly fault: string };

/**
 * What a program prints that was asked for a secret. No shell is involved. What it says on standard error is never
 * shown, since it may hold what it should not.
 *
 * @throws the signal's reason
 */
export function runProgram(
  [program = '', ...args]: readonly string[],
  { signal, timeoutMs, mostOutputBytes, input = '' }: RunLimits,
): Promise<ProgramRun> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const options = { signal, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: mostOutputBytes } as const;
    const child = execFile(program, args, options, (error, output) => {
      if (error === null) resolve({ kind: 'output', text: output });
      else if (signal.aborted) reject(signal.reason);
      else resolve({ kind: 'failed', fault: faultOf(error, timeoutMs) });
    });
    // It need not read what it is told.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** The error's own message is not passed on: it holds the arguments, and what the program said. */
function faultOf(error: Error, timeoutMs: number): string {
  if ('killed' in error && error.killed === true && errorCode(error) === undefined) {
    return `took longer than ${timeoutMs / SECOND_MS} s`;
  }
  const exitCode = 'code' in error && typeof error.code === 'number' ? error.code : undefined;
  if (exitCode !== undefined) return `ended with exit code ${exitCode}`;
  switch (errorCode(error)) {
    case 'ENOENT':
      return 'names a program that is not there: give its whole path';
    case 'EACCES':
      return 'names a program that may not be run';
    case 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER':
      return 'printed far more than it was asked for';
    default:
      return 'could not be run to its end';
  }
}
