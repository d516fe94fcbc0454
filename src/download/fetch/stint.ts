import type { BodyIdentity } from '../part/identity.ts';
import type { PartFile } from '../part/part-file.ts';
import type { PartWriter } from '../part/part-writer.ts';
import type { Allotment, Piece } from './allotment.ts';

/** One connection's work on one piece. */
export class Stint {
  readonly #part: PartFile;
  readonly #allotment: Allotment;
  #piece: Piece;
  #writer: PartWriter;
  #brought = 0;

  constructor(part: PartFile, allotment: Allotment, piece: Piece) {
    this.#part = part;
    this.#allotment = allotment;
    this.#piece = piece;
    this.#writer = part.writerAt(piece.start);
  }

  get piece(): Piece {
    return this.#piece;
  }

  /** How many bytes of the body it has brought. */
  get brought(): number {
    return this.#brought;
  }

  /** Whether its piece has come. */
  get done(): boolean {
    return this.#writer.position === this.#piece.end;
  }

  /** Whether its piece reaches to the end of the body: what comes after it is more than there should be. */
  get isLast(): boolean {
    return this.#piece.end === (this.#part.identity.total ?? Number.POSITIVE_INFINITY);
  }

  /** Takes what belongs to its piece; gives how many bytes that was. */
  async put(chunk: Uint8Array): Promise<number> {
    const room = this.#piece.end - this.#writer.position;
    const fitting = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
    this.#brought += fitting.byteLength;
    await this.#writer.append(fitting);
    return fitting.byteLength;
  }

  /** Leaves all of its piece but the share of one of `connections` to others. */
  share(connections: number): void {
    this.#piece = this.#allotment.divide(this.#piece, connections);
  }

  /** Its piece may have been without end; now the body's length is known. */
  learnEnd(): void {
    if (this.#piece.end === Number.POSITIVE_INFINITY) this.share(1);
  }

  /** Begins the part file anew with another body, and takes on all of it. */
  async beginAnew(identity: BodyIdentity): Promise<void> {
    await this.close();
    await this.#part.restart(identity);
    this.#piece = this.#allotment.takeAll();
    this.#writer = this.#part.writerAt(0);
    this.#brought = 0;
    this.share(1);
  }

  /** Writes what has come. What has not may be taken on by others. */
  async close(): Promise<void> {
    try {
      await this.#writer.close();
    } finally {
      // Not before it is written: what is neither there nor taken is fetched again.
      this.#allotment.release(this.#piece);
    }
  }
}
