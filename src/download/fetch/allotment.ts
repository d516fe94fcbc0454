import type { Extent } from '../part/extents.ts';

/** A stretch of the body that one connection fetches. */
export interface Piece {
  readonly start: number;
  /** Without end while the body's length is not known. */
  readonly end: number;
}

/** Less is not worth a request of its own. */
export const LEAST_PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Shares out what is missing of a body among connections, from the front: large pieces first and smaller ones towards the
 * end ("guided self-scheduling"), so that there are few requests and yet all connections end at about the same time.
 */
export class Allotment {
  readonly #missing: () => readonly Extent[];
  readonly #leastBytes: number;
  readonly #taken = new Set<Piece>();

  /** @param missing what has not arrived, in order */
  constructor(missing: () => readonly Extent[], leastBytes: number) {
    this.#missing = missing;
    this.#leastBytes = leastBytes;
  }

  /** The next piece for one of `connections`; undefined if all that is missing is being fetched. */
  take(connections: number): Piece | undefined {
    const [next] = this.#free();
    return next === undefined ? undefined : this.#keep(this.#share(next, connections));
  }

  /** The whole body, whatever of it is there. Nobody else may have taken a piece. */
  takeAll(): Piece {
    return this.#keep({ start: 0, end: Number.POSITIVE_INFINITY });
  }

  /** Gives up all of a piece but the share of one of `connections`; gives what is left of it. */
  divide(piece: Piece, connections: number): Piece {
    this.release(piece);
    const [rest = { start: piece.start, end: piece.start }] = this.#free().filter(({ start }) => start >= piece.start);
    return this.#keep(this.#share(rest, connections));
  }

  /** What of it has not arrived may be taken by others. */
  release(piece: Piece): void {
    this.#taken.delete(piece);
  }

  #keep(piece: Piece): Piece {
    this.#taken.add(piece);
    return piece;
  }

  #share({ start, end }: Extent, connections: number): Piece {
    if (connections === 1) return { start, end };
    const free = this.#free().reduce((sum, extent) => sum + extent.end - extent.start, 0);
    const bytes = Math.max(this.#leastBytes, Math.ceil(free / (2 * connections)));
    return { start, end: end - start < bytes + this.#leastBytes ? end : start + bytes };
  }

  /** What is missing and nobody fetches. */
  #free(): Extent[] {
    let free: Extent[] = [...this.#missing()];
    for (const piece of this.#taken) free = free.flatMap((extent) => without(extent, piece));
    return free;
  }
}

function without({ start, end }: Extent, piece: Piece): Extent[] {
  return [
    { start, end: Math.min(end, piece.start) },
    { start: Math.max(start, piece.end), end },
  ].filter((rest) => rest.start < rest.end);
}
