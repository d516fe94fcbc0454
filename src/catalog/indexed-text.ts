/**
 * What the index is told of a text. FTS5's tokenizer takes everything between two spaces for one word, which Chinese,
 * Japanese, Korean and Thai texts do not have: of their runs every two neighbouring characters are indexed as a word, and
 * the last one alone. These words are written in ASCII: FTS5 has to look up every other character in three tables, and
 * such texts take half of the time of indexing as it is.
 */
export const RUN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]+/gu;
/** Much faster than the one above, and true of everything that it finds. */
const MAY_HOLD_RUNS = /[\u0e00-\u109f\u1100-\u11ff\u1780-\u19ff\u2e80-\ud7ff\uf900-\uffff\ud800-\ud8ff]/;

/** What the words of runs begin with, and no other word that anybody writes. {@link mayBeginRuns} tells its beginnings. */
const MARK = '0q';
/** A word of which words of runs are what it may go on to. */
const BEGINNING = /(?:^|[^\p{L}\p{N}\p{Co}])0(?:q[0-9a-v]*)?$/u;
/** A character is four digits of five bits: enough for all that there are in runs. */
const DIGITS = '0123456789abcdefghijklmnopqrstuv';

/** The words of a run: `東京都` → those of `東京`, `京都`, `都`. Each begins with that of its first character. */
export function wordsOfRun(run: string): string[] {
  const codes = [...run].map((character) => codeOf(character.codePointAt(0) ?? 0));
  return codes.map((code, index) => `${MARK}${code}${codes[index + 1] ?? ''}`);
}

function codeOf(codePoint: number): string {
  return [15, 10, 5, 0].map((shift) => DIGITS[(codePoint >> shift) & 31]).join('');
}

/** Whether every word of a run begins as the last word of what was typed: asked for as a beginning, it would find them. */
export function mayBeginRuns(typed: string): boolean {
  return BEGINNING.test(typed.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase());
}

/** A text as it is given to the index: each run as its words, with spaces between and around them. */
export function indexedText(text: string): string {
  if (!mayHoldRuns(text)) return text;
  const utf8 = Buffer.from(text);
  const target = Buffer.allocUnsafe(mostBytesIndexed(utf8.length));
  return target.toString('utf8', 0, writeIndexed(utf8, target, 0));
}

/** False where {@link indexedText} leaves the text as it is. */
export function mayHoldRuns(text: string): boolean {
  return MAY_HOLD_RUNS.test(text);
}

/** How many bytes {@link writeIndexed} makes of that many at most: a word and a space of each character of three. */
export function mostBytesIndexed(bytes: number): number {
  return 4 * bytes + 2;
}

/**
 * {@link indexedText} in UTF-8, written to `target` from `at` on; gives the offset behind it. As texts, the runs in a
 * million messages take seconds more.
 */
export function writeIndexed(utf8: Uint8Array, target: Uint8Array, at: number): number {
  let to = at;
  for (let from = 0; from < utf8.length; ) {
    let codePoint = inRunAt(utf8, from);
    if (codePoint === NONE) {
      target[to] = utf8[from] ?? 0;
      to += 1;
      from += 1;
      continue;
    }
    target[to] = SPACE;
    to += 1;
    while (codePoint !== NONE) {
      from += codePoint < FOUR_BYTES_FROM ? 3 : 4;
      const next = inRunAt(utf8, from);
      target[to] = MARK_FIRST;
      target[to + 1] = MARK_SECOND;
      writeCode(codePoint, target, to + 2);
      to += 6;
      if (next !== NONE) {
        writeCode(next, target, to);
        to += 4;
      }
      target[to] = SPACE;
      to += 1;
      codePoint = next;
    }
  }
  return to;
}

const SPACE = 0x20;
const [MARK_FIRST, MARK_SECOND] = [0x30, 0x71];
const DIGIT_BYTES = Buffer.from(DIGITS);

function writeCode(codePoint: number, target: Uint8Array, at: number): void {
  target[at] = DIGIT_BYTES[(codePoint >> 15) & 31] ?? 0;
  target[at + 1] = DIGIT_BYTES[(codePoint >> 10) & 31] ?? 0;
  target[at + 2] = DIGIT_BYTES[(codePoint >> 5) & 31] ?? 0;
  target[at + 3] = DIGIT_BYTES[codePoint & 31] ?? 0;
}

const NONE = -1;
/** What the first byte of a character of three bytes of UTF-8 begins with, and of four. No run has shorter ones. */
const [THREE_BYTES, FOUR_BYTES] = [0xe0, 0xf0];
const FOUR_BYTES_FROM = 0x10000;
const ONE_CHARACTER = new RegExp(`^${RUN.source}$`, 'u');

/** Of the characters of three bytes, which can be part of a run: made when the first of them is met. */
let inRuns: Uint8Array | undefined;

/** The character that begins there, where it is part of a run. */
function inRunAt(utf8: Uint8Array, at: number): number {
  const first = utf8[at] ?? 0;
  if (first < THREE_BYTES) return NONE;
  const [second, third] = [(utf8[at + 1] ?? 0) & 63, (utf8[at + 2] ?? 0) & 63];
  if (first >= FOUR_BYTES) {
    const codePoint = ((first & 7) << 18) | (second << 12) | (third << 6) | ((utf8[at + 3] ?? 0) & 63);
    return ONE_CHARACTER.test(String.fromCodePoint(codePoint)) ? codePoint : NONE;
  }
  inRuns ??= Uint8Array.from({ length: 0x10000 }, (_, code) => Number(ONE_CHARACTER.test(String.fromCharCode(code))));
  const codePoint = ((first & 15) << 12) | (second << 6) | third;
  return inRuns[codePoint] === 1 ? codePoint : NONE;
}
