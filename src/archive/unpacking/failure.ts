import { errorCode, errorMessage } from '../../lib/errors.ts';
import { ArchiveRefusal, type ArchiveRefusalReason } from '../refusal.ts';

/** An error on its way out of a thread: copied as it is, it would lose its class and its code. */
export type Failure =
  | {
      readonly kind: 'refused';
      readonly reason: ArchiveRefusalReason;
      readonly message: string;
      readonly entry: string | undefined;
    }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined };

export function packFailure(error: unknown): Failure {
  return error instanceof ArchiveRefusal
    ? { kind: 'refused', reason: error.reason, message: error.message, entry: error.entry }
    : { kind: 'failed', message: errorMessage(error), code: errorCode(error) };
}

/** The error again, of the same class and with the same code. */
export function unpackFailure(failure: Failure): Error {
  if (failure.kind === 'refused') {
    const { reason, message, entry } = failure;
    return new ArchiveRefusal(reason, message, entry === undefined ? {} : { entry });
  }
  return Object.assign(new Error(failure.message), failure.code === undefined ? {} : { code: failure.code });
}
