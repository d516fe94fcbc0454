import { SECOND_MS } from '../lib/clock.ts';
import { runProgram } from '../lib/run-program.ts';
import { Secret } from '../lib/secret.ts';
import { MailboxError } from './trouble.ts';

/** Long enough for a password manager that asks over the network. */
const TIMEOUT_MS = 30 * SECOND_MS;
const MOST_OUTPUT_BYTES = 64 * 1024;

/**
 * The password that a program prints: the first line of its output.
 * @throws MailboxError `unreachable`, which is tried again: the program may be waiting for a vault to be unlocked
 */
export async function passwordFromCommand(
  command: readonly string[],
  { signal, timeoutMs = TIMEOUT_MS }: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<Secret> {
  const run = await runProgram(command, { signal, timeoutMs, mostOutputBytes: MOST_OUTPUT_BYTES });
  if (run.kind === 'failed') throw trouble(run.fault);
  const password = run.text.split(/\r?\n/, 1)[0] ?? '';
  if (password === '') throw trouble('printed no password in its first line');
  return new Secret(password);
}

function trouble(fault: string): MailboxError {
  return new MailboxError('unreachable', `The password_command ${fault}.`);
}
