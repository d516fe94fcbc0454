import { ChatkeepError, ERROR_TABLE, errorMessage } from '../lib/errors.ts';
import { redactText } from '../lib/secret.ts';

/** The exit code of whatever was thrown (docs/reference/exit-codes.md). */
export function exitCodeOf(error: unknown): number {
  return error instanceof ChatkeepError ? error.exitCode : ERROR_TABLE.internal.exitCode;
}

/** Says on standard error what went wrong and what to do next. */
export function reportError(error: unknown): void {
  if (error instanceof ChatkeepError) {
    process.stderr.write(`chatkeep: ${error.message}\n${error.next}\n`);
    return;
  }
  const stack = error instanceof Error && error.stack !== undefined ? error.stack : errorMessage(error);
  process.stderr.write(`chatkeep: an unexpected error. ${redactText(stack)}\n${ERROR_TABLE.internal.next}\n`);
}
