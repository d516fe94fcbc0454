import { Worker } from 'node:worker_threads';
import { programBeside } from '../../lib/program-beside.ts';
import { areWorthKeeping, buffersOf, type MessageTableData, type TableBuffers } from './message-table.ts';
import type { Piece, ReadingJob } from './records.ts';

/** What the thread is told: what to read, that one more piece has been taken, and what of an earlier one it can use again. */
export type ToThread =
  | { readonly kind: 'read'; readonly job: ReadingJob }
  | { readonly kind: 'taken' }
  | { readonly kind: 'spare'; readonly buffers: TableBuffers };

/** What it tells: a piece, or that the job is done. */
export type FromThread = { readonly kind: 'piece'; readonly piece: Piece } | { readonly kind: 'done' };

/**
 * A thread that reads, parses and extracts while this one writes: each takes about as long as the other. It runs some
 * pieces ahead, since a batch is written in one go.
 */
export class ReadingThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #arrived: FromThread[] = [];
  #failure: Error | undefined;
  #wake = Promise.withResolvers<void>();

  /** @param directory of the catalog, which the thread reads */
  constructor(directory: string) {
    const file = programBeside(import.meta.url, './reading-thread');
    this.#worker = new Worker(file, { workerData: { directory }, env: {} });
    this.#worker.on('message', (message: FromThread) => {
      this.#arrived.push(message);
      this.#wake.resolve();
    });
    this.#worker.on('error', (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', () => this.#fail(new Error('The thread that reads conversations has ended.')));
  }

  /** One job at a time. @throws what the thread died of; the signal's reason */
  async *read(job: ReadingJob, signal?: AbortSignal): AsyncGenerator<Piece, void> {
    const stop = () => this.#wake.resolve();
    signal?.addEventListener('abort', stop);
    try {
      this.#tell({ kind: 'read', job });
      for (;;) {
        signal?.throwIfAborted();
        const message = this.#arrived.shift();
        if (message?.kind === 'done') return;
        if (message !== undefined) {
          this.#tell({ kind: 'taken' });
          yield message.piece;
          continue;
        }
        if (this.#failure !== undefined) throw this.#failure;
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Gives a table's memory back to the thread: it makes tables as fast as they are written. */
  giveBack(table: MessageTableData): void {
    const buffers = buffersOf(table);
    if (areWorthKeeping(buffers)) this.#tell({ kind: 'spare', buffers }, buffers);
  }

  #tell(message: ToThread, handedOver: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, handedOver);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
