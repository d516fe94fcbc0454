import { setTimeout as delay } from 'node:timers/promises';

/** Twenty pieces a second make a slow line flow rather than jerk. */
const PIECES_PER_SECOND = 20;
const MOST_PIECE_BYTES = 64 * 1024;

/** A line of a fixed width, shared by all who send through it. It keeps real time. */
export class Pacer {
  readonly #bytesPerSecond: number;
  #freeAt = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** How much to send at once, bytes. */
  get pieceBytes(): number {
    return Math.min(MOST_PIECE_BYTES, Math.max(1, Math.floor(this.#bytesPerSecond / PIECES_PER_SECOND)));
  }

  /** Resolves when `bytes` bytes have had the time to pass; rejects when the signal aborts. */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes / this.#bytesPerSecond) * 1000;
    await delay(this.#freeAt - now, undefined, { signal });
  }
}
