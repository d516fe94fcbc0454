import { closeSync, fdatasync } from 'node:fs';
import { promisify } from 'node:util';

/** So many files may wait for the disk; then the unpacking waits, too. */
const MOST_WAITING = 16;

const syncData = promisify(fdatasync);

/**
 * Has the disk take files while the next ones are unpacked, one call at a time: each occupies a thread of Node's pool,
 * which inflates, too.
 */
export class WriteBack {
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  #trouble: { readonly error: unknown } | undefined;

  /** Tells the disk to take what was written to a file so far. @throws what it has said of this file, or another */
  begin(descriptor: number): void {
    this.#throwTrouble();
    this.#enqueue(() => syncData(descriptor));
  }

  /** Closes a file when the disk has taken what it was told to. Waits for that only if too many files wait. */
  async close(descriptor: number): Promise<void> {
    if (this.#waiting === 0) closeSync(descriptor);
    else this.#enqueue(async () => closeSync(descriptor));
    if (this.#waiting > MOST_WAITING) await this.#queue;
  }

  /** Settles when no file is open any more. @throws what the disk has said of any file */
  async finish(): Promise<void> {
    await this.#queue;
    this.#throwTrouble();
  }

  #enqueue(step: () => Promise<void>): void {
    this.#waiting += 1;
    this.#queue = this.#queue
      .then(step)
      .catch((error: unknown) => {
        this.#trouble ??= { error };
      })
      .then(() => {
        this.#waiting -= 1;
      });
  }

  #throwTrouble(): void {
    if (this.#trouble !== undefined) throw this.#trouble.error;
  }
}
