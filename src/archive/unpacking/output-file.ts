import { createHash, hash } from 'node:crypto';
import { closeSync, futimesSync, openSync, writeSync } from 'node:fs';
import { refusedByName } from '../path-refusal.ts';
import type { WriteBack } from './write-back.ts';

/** Nothing writes to it again. */
const FILE_MODE = 0o400;

/**
 * After so many bytes the disk is told to begin, while the next ones are inflated: left to itself, the kernel would wait
 * for half a minute or a tenth of the memory, and the commit would wait for the disk.
 */
const WRITE_BACK_BYTES = 32 * 1024 * 1024;
/** What is smaller than this is left to the one sync of the commit. */
const LARGE_BYTES = 4 * 1024 * 1024;

/**
 * Writes a file of which all bytes are there.
 *
 * @param path POSIX, relative to `target`
 * @param modified ms UTC
 * @returns the SHA-256, 64 hex digits
 * @throws ArchiveRefusal `path-too-long`; what the file system says
 */
export function writeWholeFile(target: string, path: string, content: Buffer, modified: number): string {
  const descriptor = create(target, path);
  try {
    writeAll(descriptor, content);
    setTime(descriptor, modified);
  } finally {
    closeSync(descriptor);
  }
  return hash('sha256', content);
}

/** A file in the making, one piece after the other. */
export class OutputFile implements AsyncDisposable {
  readonly #descriptor: number;
  readonly #writeBack: WriteBack;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #begun = 0;

  /** @throws as {@link writeWholeFile} */
  constructor(target: string, path: string, writeBack: WriteBack) {
    this.#descriptor = create(target, path);
    this.#writeBack = writeBack;
  }

  /** The bytes are written, and `chunk` may be used again, when this returns. */
  write(chunk: Buffer): void {
    this.#hash.update(chunk);
    writeAll(this.#descriptor, chunk);
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
    setTime(this.#descriptor, modified);
    if (this.#bytes >= LARGE_BYTES && this.#bytes > this.#begun) this.#beginWriteBack();
    return this.#hash.digest('hex');
  }

  #beginWriteBack(): void {
    this.#begun = this.#bytes;
    this.#writeBack.begin(this.#descriptor);
  }

  /** The file is closed when the disk has taken what it was told to. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writeBack.close(this.#descriptor);
  }
}

/** Made anew, never written through a link. */
function create(target: string, path: string): number {
  try {
    // The path is one that was checked: there is nothing in it for `join` to make right.
    return openSync(`${target}/${path}`, 'wx', FILE_MODE);
  } catch (error) {
    throw refusedByName(error, path);
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}

function setTime(descriptor: number, modified: number): void {
  futimesSync(descriptor, modified / 1000, modified / 1000);
}
