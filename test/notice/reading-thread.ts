import { Worker } from 'node:worker_threads';

/** What a thread reads: a whole message, a value of Authentication-Results, one of From, or links in text or HTML. */
export type Reader = 'message' | 'results' | 'sender' | 'links';

export interface Outcome {
  readonly kind: string;
  /** The export's link, if one was found. */
  readonly link: string | undefined;
  /** Questions to the DNS. */
  readonly lookups: number;
  /** Questions to services that hide links. */
  readonly hops: number;
  /** Processor time of the thread, ms: a machine that is busy with other things does not add to it. */
  readonly cpuMs: number;
}

/**
 * Of processor time, ms. The largest input that is taken needs about a twentieth of it, and four times as much while
 * coverage is counted; work that grows with the square of the input would need minutes.
 */
const MOST_CPU_MS = 45_000;
/** What takes longer by the clock on the wall is ended: it hangs. */
const HANG_MS = 240_000;

/** Reads in a thread of its own, which is ended if it hangs: what hangs in the test's own thread could not be told. */
export class ReadingThread implements AsyncDisposable {
  #worker: Worker | undefined;

  /** @throws if it could not be read, or took too long */
  async read(reader: Reader, input: Uint8Array): Promise<Outcome> {
    const outcome = await this.#ask(reader, input);
    if (outcome.cpuMs > MOST_CPU_MS) throw new Error(`It took ${Math.round(outcome.cpuMs)} ms of processor time.`);
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #ask(reader: Reader, input: Uint8Array): Promise<Outcome> {
    this.#worker ??= new Worker(new URL('reading-worker.ts', import.meta.url));
    const worker = this.#worker;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const onMessage = (answer: Outcome | Error) => (answer instanceof Error ? reject(answer) : resolve(answer));
    const limit = setTimeout(() => reject(new Error('It hangs.')), HANG_MS);
    worker.once('message', onMessage);
    worker.once('error', reject);
    worker.postMessage({ reader, input });
    try {
      return await promise;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    } finally {
      clearTimeout(limit);
      worker.off('message', onMessage);
      worker.off('error', reject);
    }
  }
}
