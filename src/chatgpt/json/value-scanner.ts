import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './bytes.ts';

/** Keys and short values end sooner than a call of the native search would return; in long texts that one is faster. */
const NEAR_BYTES = 64;

/**
 * Finds where a JSON value ends that begins with a brace, a bracket or a quote, in as many pieces as it comes. It knows
 * strings, escapes and depth, and nothing else: what stands between is for JSON.parse to judge.
 */
export class ValueScanner {
  #depth = 0;
  #inString = false;
  /** The last piece ended in a backslash that escapes the next one's first byte. */
  #escaped = false;
  #values = 0;

  /** About how many values it has met: what a parser makes of them takes memory that the bytes alone do not tell. */
  get values(): number {
    return this.#values;
  }

  /** Takes the next piece, and gives the offset in it behind the value's last byte, or -1 where the value goes on. */
  scan(piece: Buffer): number {
    for (let at = 0; at < piece.length; ) {
      if (this.#inString) {
        at = this.#leaveString(piece, at);
        if (!this.#inString && this.#depth === 0) return at;
      } else {
        at = this.#reachString(piece, at);
        if (this.#depth === 0 && !this.#inString) return at;
      }
    }
    return -1;
  }

  /** Gives the offset behind the next opening quote, behind the end of the whole value, or the piece's length. */
  #reachString(piece: Buffer, from: number): number {
    let depth = this.#depth;
    let values = this.#values;
    let at = from;
    while (at < piece.length) {
      const byte = piece[at];
      at += 1;
      if (byte === QUOTE) {
        this.#inString = true;
        break;
      }
      if (byte === COMMA) {
        values += 1;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        depth += 1;
        values += 1;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth -= 1;
        if (depth <= 0) break;
      }
    }
    this.#depth = Math.max(0, depth);
    this.#values = values;
    return at;
  }

  /** Gives the offset behind the closing quote, or the piece's length where the string goes on. */
  #leaveString(piece: Buffer, from: number): number {
    let at = this.#escaped ? from + 1 : from;
    this.#escaped = false;
    for (;;) {
      const near = Math.min(piece.length, at + NEAR_BYTES);
      while (at < near) {
        const byte = piece[at];
        at += 1;
        if (byte === QUOTE) {
          this.#inString = false;
          return at;
        }
        if (byte === BACKSLASH) at += 1;
      }
      if (at >= piece.length) {
        this.#escaped = at > piece.length;
        return piece.length;
      }
      const quote = piece.indexOf(QUOTE, at);
      const end = quote === -1 ? piece.length : quote;
      const isEscaped = backslashesBefore(piece, end, at) % 2 === 1;
      if (quote === -1) {
        this.#escaped = isEscaped;
        return piece.length;
      }
      at = quote + 1;
      if (!isEscaped) {
        this.#inString = false;
        return at;
      }
    }
  }
}

function backslashesBefore(piece: Buffer, end: number, from: number): number {
  let at = end;
  while (at > from && piece[at - 1] === BACKSLASH) at -= 1;
  return end - at;
}
