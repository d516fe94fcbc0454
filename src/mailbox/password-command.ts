import { execFile } from 'node:child_process';
import { errorCode } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { MailboxError } from './trouble.ts';

/** Long enough for a password manager that asks over the network. */
const TIMEOUT_MS = 30_000;
const MOST_OUTPUT_BYTES = 64 * 1024;

/**
 * The password that a program prints: the first line of its output. No shell is involved. What the program says on
 * standard error is never shown, since it may hold what it should not.
 *
 * @throws MailboxError `unreachable`, which is tried again: the program may be waiting for a vault to be unlocked
 */
export function passwordFromCommand(
  [program = '', ...args]: readonly string[],
  { signal, timeoutMs = TIMEOUT_MS }: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<Secret> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const options = { signal, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MOST_OUTPUT_BYTES } as const;
    const child = execFile(program, args, options, (error, output) => {
      const password = output.split(/\r?\n/, 1)[0] ?? '';
      if (error === null && password !== '') resolve(new Secret(password));
      else if (signal.aborted) reject(signal.reason);
      else reject(new MailboxError('unreachable', `The password_command ${faultOf(error, timeoutMs)}.`));
    });
    child.stdin?.end();
  });
}

/** The error's own message is not passed on: it holds the arguments, and what the program said. */
function faultOf(error: Error | null, timeoutMs: number): string {
  if (error === null) return 'printed no password in its first line';
  if ('killed' in error && error.killed === true && errorCode(error) === undefined) {
    return `took longer than ${timeoutMs / 1000} s`;
  }
  const exitCode = 'code' in error && typeof error.code === 'number' ? error.code : undefined;
  if (exitCode !== undefined) return `ended with exit code ${exitCode}`;
  switch (errorCode(error)) {
    case 'ENOENT':
      return 'names a program that is not there: give its whole path';
    case 'EACCES':
      return 'names a program that may not be run';
    case 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER':
      return 'printed far more than a password';
    default:
      return 'could not be run to its end';
  }
}
