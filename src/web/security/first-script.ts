import { createHash } from 'node:crypto';

/** Begins and ends what matters of a script's text; the end of a name may be in the next piece. */
const TOKENS = /<!--|-->|<(\/?)script(?=[\t\n\f\r />])/gi;
/** `</script` and what stands behind it: as much of a piece is looked at again with the next one. */
const LONGEST_TOKEN_BYTES = 9;
const START = /<script(?:[\t\n\f\r /][^>]*)?>/i;
/** A start tag that is longer is none of OpenAI's. */
const LONGEST_BEFORE_SCRIPT_BYTES = 1024 * 1024;

/**
 * The hash by which a Content-Security-Policy lets the first script of an HTML page run, and no other: `'sha256-…'` (CSP
 * Level 3, section 2.3.1). The page comes in pieces, and none of it is held. Undefined where it has no script.
 *
 * The script's text is what the HTML standard says it is (section 13.2.5.4, script data states): `</script>` does not end
 * it between `<!-- <script>` and `-->`.
 */
export async function firstScriptHash(pieces: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const script = new ScriptText();
  let before: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of pieces) {
    let text: Buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    if (before !== undefined) {
      before = Buffer.concat([before, text]);
      const start = START.exec(before.toString('latin1'));
      if (start === null) {
        if (before.length > LONGEST_BEFORE_SCRIPT_BYTES) return undefined;
        continue;
      }
      text = before.subarray(start.index + start[0].length);
      before = undefined;
    }
    if (script.add(text)) return script.source();
  }
  return undefined;
}

const [LINE_FEED, RETURN] = [0x0a, 0x0d];

class ScriptText {
  readonly #hash = createHash('sha256');
  #rest: Buffer = Buffer.alloc(0);
  #afterReturn = false;
  #state: 'plain' | 'escaped' | 'double escaped' = 'plain';

  /** Tells whether the script ends here. */
  add(piece: Buffer): boolean {
    const bytes = Buffer.concat([this.#rest, piece]);
    const text = bytes.toString('latin1');
    TOKENS.lastIndex = 0;
    let seen = 0;
    for (let token = TOKENS.exec(text); token !== null; token = TOKENS.exec(text)) {
      if (this.#endsAt(token)) {
        this.#take(bytes.subarray(0, token.index));
        return true;
      }
      // The dashes of `<!--` may be those of `-->`, too.
      if (token[0] === '<!--') TOKENS.lastIndex -= 2;
      seen = TOKENS.lastIndex;
    }
    const done = Math.max(seen, bytes.length - LONGEST_TOKEN_BYTES, 0);
    this.#take(bytes.subarray(0, done));
    this.#rest = bytes.subarray(done);
    return false;
  }

  source(): string {
    return `'sha256-${this.#hash.digest('base64')}'`;
  }

  #endsAt([token, slash]: RegExpExecArray): boolean {
    if (token === '-->') this.#state = 'plain';
    else if (token === '<!--') this.#state = this.#state === 'plain' ? 'escaped' : this.#state;
    else if (slash === '') this.#state = this.#state === 'escaped' ? 'double escaped' : this.#state;
    else if (this.#state === 'double escaped') this.#state = 'escaped';
    else return true;
    return false;
  }

  /** Browsers read every end of a line as a line feed (HTML, section 13.2.3.5). */
  #take(bytes: Buffer): void {
    const text = this.#afterReturn && bytes[0] === LINE_FEED ? bytes.subarray(1) : bytes;
    if (bytes.length > 0) this.#afterReturn = bytes.at(-1) === RETURN;
    this.#hash.update(
      text.includes(RETURN) ? Buffer.from(text.toString('latin1').replace(/\r\n?/g, '\n'), 'latin1') : text,
    );
  }
}
