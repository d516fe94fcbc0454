import { createHash } from 'node:crypto';
import { closeSync, fdatasync, futimesSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { refusedByName } from '../path-refusal.ts';

/** Nothing writes to it again. */
const FILE_MODE = 0o400;

/**
 * After so many bytes the disk is told to begin, while the next ones are inflated: left to itself, the kernel would wait
 * for half a minute or a tenth of the memory, and the commit would wait for the disk.
 */
const WRITE_BACK_BYTES = 32 * 1024 * 1024;
/** What is smaller than this is left to the one sync of the commit. */
const LARGE_BYTES = 4 * 1024 * 1024;

const syncData = promisify(fdatasync);

/** A file in the making: made anew, never written through a link. */
export class OutputFile implements AsyncDisposable {
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #begun = 0;
  #writingBack: Promise<void> = Promise.resolve();
  #trouble: { readonly error: unknown } | undefined;

  /**
   * @param path POSIX, relative to `target`
   * @throws ArchiveRefusal `path-too-long`; what the file system says
   */
  constructor(target: string, path: string) {
    try {
      this.#descriptor = openSync(join(target, path), 'wx', FILE_MODE);
    } catch (error) {
      throw refusedByName(error, path);
    }
  }

  /** The bytes are written, and `chunk` may be used again, when this returns. */
  write(chunk: Buffer): void {
    if (this.#trouble !== undefined) throw this.#trouble.error;
    this.#hash.update(chunk);
    for (let done = 0; done < chunk.length; ) done += writeSync(this.#descriptor, chunk, done);
    this.#bytes += chunk.length;
    if (this.#bytes - this.#begun >= WRITE_BACK_BYTES) this.#beginWriteBack();
  }

  /**
   * Gives the file its time. To be called once, after the last byte.
   *
   * @param modified ms UTC
   * @returns the SHA-256, 64 hex digits
   */
  finish(modified: number): string {
    futimesSync(this.#descriptor, modified / 1000, modified / 1000);
    if (this.#bytes >= LARGE_BYTES && this.#bytes > this.#begun) this.#beginWriteBack();
    return this.#hash.digest('hex');
  }

  #beginWriteBack(): void {
    this.#begun = this.#bytes;
    this.#writingBack = this.#writingBack
      .then(() => syncData(this.#descriptor))
      .catch((error: unknown) => {
        this.#trouble ??= { error };
      });
  }

  /** Closes the file when the disk has taken what it was told to. @throws what the disk said */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writingBack;
    closeSync(this.#descriptor);
    if (this.#trouble !== undefined) throw this.#trouble.error;
  }
}
