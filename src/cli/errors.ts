import { ChatkeepError, ERROR_TABLE, errorMessage, storageTrouble } from '../lib/errors.ts';
import { redactText } from '../lib/secret.ts';

/** The exit code of whatever was thrown (docs/reference/exit-codes.md). */
export function exitCodeOf(error: unknown): number {
  return (asKnownError(error) ?? ERROR_TABLE.internal).exitCode;
}

/** Says on standard error what went wrong and what to do next. */
export function reportError(error: unknown): void {
  const known = asKnownError(error);
  if (known !== undefined) {
    process.stderr.write(`chatkeep: ${known.message}\n${known.next}\n`);
    return;
  }
  const stack = error instanceof Error && error.stack !== undefined ? error.stack : errorMessage(error);
  process.stderr.write(`chatkeep: an unexpected error. ${redactText(stack)}\n${ERROR_TABLE.internal.next}\n`);
}

/** A disk that is full or fails can show at any call: wherever it does, it is no fault of ours. */
function asKnownError(error: unknown): ChatkeepError | undefined {
  if (error instanceof ChatkeepError) return error;
  const trouble = storageTrouble(error);
  if (trouble === undefined) return undefined;
  return new ChatkeepError('storage', `The backup or state directory cannot be used: ${trouble}.`, { cause: error });
}
