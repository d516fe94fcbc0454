import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { answerOf } from './ask-thread.ts';
import { programBeside } from './program-beside.ts';

/** Large enough that hashing, not the calls, sets the pace; small enough not to hold up the event loop. */
const READ_BYTES = 256 * 1024;

/** Hashed in a millisecond or two. */
const SMALL_BYTES = 1024 * 1024;

/** The SHA-256 of a file, as 64 hex digits. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await feedFile(hash, path, signal);
  return hash.digest('hex');
}

/**
 * {@link sha256OfFile} in a thread of its own, for a file so large that hashing it would hold up other work: without
 * hardware support it takes five seconds a gigabyte.
 *
 * @throws what reading throws; the signal's reason
 */
export async function sha256InThread(path: string, signal?: AbortSignal): Promise<string> {
  await using hasher = new FileHasher();
  return await hasher.sha256(path, signal);
}

/** Hashes files in threads: as many as there are calls at a time, started when they are needed; they end with it. */
export class FileHasher implements AsyncDisposable {
  readonly #threads = new Set<Worker>();
  readonly #idle: Worker[] = [];

  /**
   * As {@link sha256InThread}. What takes less time than handing it over is hashed here.
   *
   * @param bytes its size, where it is known
   */
  async sha256(path: string, signal?: AbortSignal, bytes = Number.POSITIVE_INFINITY): Promise<string> {
    if (bytes <= SMALL_BYTES) return sha256OfFile(path, signal);
    signal?.throwIfAborted();
    const thread = this.#idle.pop() ?? this.#start();
    try {
      thread.postMessage(path);
      const digest = String(await answerOf(thread, signal));
      this.#idle.push(thread);
      return digest;
    } catch (error) {
      await this.#end(thread);
      throw error;
    }
  }

  #start(): Worker {
    const file = programBeside(import.meta.url, './hash-thread');
    const thread = new Worker(file, { env: {}, resourceLimits: { maxYoungGenerationSizeMb: 2 } });
    this.#threads.add(thread);
    return thread;
  }

  async #end(thread: Worker): Promise<void> {
    this.#threads.delete(thread);
    await thread.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
  }
}

/**
 * Feeds a file to a hash through one buffer that is used again and again: streams would allocate one for every read,
 * faster than the garbage collector returns them.
 */
export async function feedFile(hash: Hash, path: string, signal?: AbortSignal): Promise<void> {
  await using file = await open(path);
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES);
    if (bytesRead === 0) return;
    hash.update(buffer.subarray(0, bytesRead));
  }
}

/** The SHA-256 of a text or of bytes, as 64 hex digits. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
