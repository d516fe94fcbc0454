/** An export in the backup directory: a snapshot, or the record of one that was found unchanged (a file). */
export interface LocalExport {
  readonly kind: 'snapshot' | 'unchanged';
  /** Where it lies below the backup directory: of a snapshot, `<account>/<name>`. */
  readonly id: string;
}

/** What a run may take, and who is told how far it is. */
export interface RunContext {
  readonly signal: AbortSignal;
  /** Bytes. */
  readonly onProgress: (done: number, total: number) => void;
}

/** A program that keeps copies elsewhere: a port, so that schedules can be tried without one. */
export interface OffsiteTool {
  /** Makes the place ready, once. Nothing happens to one that is ready. */
  init(context: RunContext): Promise<void>;
  /**
   * Copies what is not there yet; one that was broken off goes on where it stopped.
   *
   * @param exports all there are, newest last
   * @returns the ids of those that are there now
   * @throws OffsiteError; the signal's reason
   */
  copy(exports: readonly LocalExport[], context: RunContext): Promise<readonly string[]>;
  /**
   * Checks a sample of what is there.
   *
   * @param copied those that ought to be there, newest last
   * @returns a sentence for each thing that is wrong; empty if all is well
   * @throws OffsiteError if it cannot be checked; the signal's reason
   */
  check(copied: readonly LocalExport[], context: RunContext): Promise<readonly string[]>;
}

/** Why a program could not do its work: sentences for people, without secrets. */
export class OffsiteError extends Error {
  override readonly name = 'OffsiteError';
}
