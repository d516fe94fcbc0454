import { giveBack } from '../read-blocks.ts';

/** Writes `chunks` to `position`; told of bytes as they are written. */
export type WriteOut = (
  chunks: readonly Uint8Array[],
  position: number,
  wrote: (bytes: number) => void,
) => Promise<void>;

/** Writes one stretch of a part file from its beginning on, as its bytes come in. */
export class PartWriter {
  readonly #file: { writeOut: WriteOut; gatherBytes(): number; closed(writer: PartWriter): void };
  #position: number;
  #chunks: Uint8Array[] = [];
  #gathered = 0;

  constructor(position: number, file: { writeOut: WriteOut; gatherBytes(): number; closed(writer: PartWriter): void }) {
    this.#position = position;
    this.#file = file;
  }

  /** Where the next byte belongs. */
  get position(): number {
    return this.#position + this.#gathered;
  }

  /** Bytes that are not written yet. */
  get gathered(): number {
    return this.#gathered;
  }

  /**
   * Chunks of a socket are small; they are gathered so that a write is worth its call.
   * @throws ChatkeepError `storage`
   */
  async append(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk);
    this.#gathered += chunk.byteLength;
    if (this.#gathered >= this.#file.gatherBytes()) await this.#flush();
  }

  /**
   * Writes what has been gathered, and ends.
   * @throws ChatkeepError `storage`
   */
  async close(): Promise<void> {
    try {
      if (this.#gathered > 0) await this.#flush();
    } finally {
      this.#file.closed(this);
    }
  }

  async #flush(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = [];
    try {
      await this.#file.writeOut(chunks, this.#position, (bytes) => {
        this.#position += bytes;
        this.#gathered -= bytes;
      });
      for (const chunk of chunks) giveBack(chunk);
    } finally {
      // What could not be written has not been received.
      this.#gathered = 0;
    }
  }
}
