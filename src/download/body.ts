/**
 * What may wait to be taken, before the server is made to wait; and what of it, when it may go on. Each stop costs: what
 * Node.js holds of a socket meanwhile it copies together, and the block that it was read into is lost (read-blocks.ts).
 */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;
const FEW_WAITING_BYTES = 4 * 1024 * 1024;

/** The sender of a body, as far as it can be told to wait. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/**
 * A body between the network, which brings its bytes, and the one who takes them by iterating. Every byte that arrived
 * is given out, those included that were waiting when it broke off: a stream throws these away, and a server that breaks
 * off early would never be got the better of.
 *
 * What arrives in one turn of the event loop is taken together, and what lies side by side in memory is one piece: the
 * network brings thousands of small chunks a second, each of which would be a way through every part of the download.
 *
 * @throws on iteration, after the last byte that arrived: what the body broke off with
 */
export class Body implements AsyncIterable<Uint8Array> {
  readonly #flow: Flow;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #end: { readonly error?: unknown } | undefined;
  /** Wakes the one who waits for more. */
  #wake: (() => void) | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** The network has brought this. */
  bring(chunk: Uint8Array): void {
    const last = this.#waiting.at(-1);
    const joined = last === undefined ? undefined : joinedInMemory(last, chunk);
    if (joined === undefined) this.#waiting.push(chunk);
    else this.#waiting[this.#waiting.length - 1] = joined;
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes >= MOST_WAITING_BYTES) this.#flow.pause();
    this.#wakeSoon();
  }

  /** That was all; or it broke off with `error`. Only the first end counts. */
  end(broken?: { readonly error: unknown }): void {
    this.#end ??= broken ?? {};
    this.#wakeSoon();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunks = this.#waiting;
      this.#waiting = [];
      for (const chunk of chunks) {
        this.#waitingBytes -= chunk.byteLength;
        if (this.#waitingBytes < FEW_WAITING_BYTES) this.#flow.resume();
        yield chunk;
      }
      if (this.#waiting.length > 0) continue;
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error;
        return;
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await woken;
    }
  }

  /** Once all that has arrived by now has been brought. */
  #wakeSoon(): void {
    if (this.#wake === undefined) return;
    setImmediate(this.#wake);
    this.#wake = undefined;
  }
}

/** Two views of one memory as one, if the second begins where the first ends. */
function joinedInMemory(first: Uint8Array, second: Uint8Array): Uint8Array | undefined {
  const areNeighbours = first.buffer === second.buffer && first.byteOffset + first.byteLength === second.byteOffset;
  return areNeighbours
    ? new Uint8Array(first.buffer, first.byteOffset, first.byteLength + second.byteLength)
    : undefined;
}
