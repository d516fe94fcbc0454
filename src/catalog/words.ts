/**
 * What the index is told of a text, and what it is asked for. FTS5's tokenizer takes everything between two spaces for
 * one word, which Chinese, Japanese, Korean and Thai texts do not have: of their runs every two neighbouring characters
 * are indexed as a word, and the last one alone. A question of two characters or more is then a phrase of such words; of
 * one, a prefix.
 */
const RUN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]+/gu;
/** Much faster than the one above, and true of everything that it finds. */
const MAY_HOLD_RUNS = /[\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ud7ff\uf900-\uffff\ud840-\ud8ff]/;

/** A text as it is given to the index. */
export function indexedText(text: string): string {
  return MAY_HOLD_RUNS.test(text) ? text.replace(RUN, (run) => ` ${pairsOf(run).join(' ')} `) : text;
}

/** `東京都` → `東京`, `京都`, `都`. */
function pairsOf(run: string): string[] {
  const characters = [...run];
  return characters.map((character, index) => `${character}${characters[index + 1] ?? ''}`);
}

/** {@link indexedText} of what is searched for: `東京都` is the phrase `東京 京都`, for it may go on behind. */
function wantedText(text: string): string {
  return text.replace(RUN, (run: string, at: number) => {
    const pairs = pairsOf(run);
    const mayGoOn = pairs.length > 1 && at + run.length === text.length;
    return ` ${(mayGoOn ? pairs.slice(0, -1) : pairs).join(' ')} `;
  });
}

/** A word or a phrase that is searched for. */
export interface Term {
  /** As it was typed, without quotes and signs. */
  readonly text: string;
  /** The last word may go on. */
  readonly prefix: boolean;
  readonly excluded: boolean;
}

/** A question to the index, as FTS5 takes it. Undefined terms: nothing to search for. */
export interface Question {
  readonly terms: readonly Term[];
  readonly match: string;
}

/** More than anybody types. */
const MOST_TERMS = 32;
const MOST_CHARACTERS = 1000;
const PIECE = /(-?)(?:"([^"]*)"?|([^\s"]+))(\*?)/gu;
/** Control characters end a text for SQLite, or are none. */
const CONTROL = /\p{Cc}/gu;
/** What FTS5's tokenizer takes for a part of a word. */
const IN_A_WORD = /[\p{L}\p{N}\p{Co}]/u;

/**
 * Reads what somebody typed: words that must all be there, `"phrases in quotes"`, `beginnings*`, and `-words` that must
 * not be there. Whatever is typed, it is never an error; undefined where there is nothing to search for in it.
 *
 * @param options.lastIsPrefix the last word may go on, as long as somebody is still typing
 */
export function parseQuestion(
  typed: string,
  { lastIsPrefix = false }: { lastIsPrefix?: boolean } = {},
): Question | undefined {
  const text = readable(typed);
  const terms = termsOf(text).slice(0, MOST_TERMS);
  const last = terms.at(-1);
  if (lastIsPrefix && last !== undefined && !last.excluded && /[^\s"]$/u.test(text))
    terms[terms.length - 1] = { ...last, prefix: true };
  const wanted = terms.filter(({ excluded }) => !excluded);
  if (wanted.length === 0) return undefined;
  const unwanted = terms.filter(({ excluded }) => excluded);
  const all = wanted.map(phraseOf).join(' AND ');
  return { terms, match: unwanted.length === 0 ? all : `(${all}) NOT (${unwanted.map(phraseOf).join(' OR ')})` };
}

/** What whoever searches should know of what they typed, in a sentence; undefined where all of it is searched for. */
export function remarkOn(typed: string): string | undefined {
  const terms = termsOf(readable(typed));
  if (terms.length === 0) return 'There is no word in this to search for: it takes letters or digits.';
  if (terms.slice(0, MOST_TERMS).every(({ excluded }) => excluded))
    return 'Words with a minus only leave messages out: add a word that is to be found.';
  return typed.length > MOST_CHARACTERS || terms.length > MOST_TERMS
    ? `This is more than can be searched for at once: the first ${MOST_TERMS} words count, and the first ${MOST_CHARACTERS.toLocaleString('en-US')} characters.`
    : undefined;
}

function readable(typed: string): string {
  return typed.slice(0, MOST_CHARACTERS).toWellFormed().replace(CONTROL, ' ');
}

function termsOf(text: string): Term[] {
  const terms: Term[] = [];
  for (const [, sign = '', phrase, word = '', star = ''] of text.matchAll(PIECE)) {
    const stem = (phrase ?? word).replace(/\*+$/, '');
    if (!IN_A_WORD.test(stem)) continue;
    const prefix = star !== '' || stem.length < (phrase ?? word).length;
    terms.push({ text: stem.trim(), prefix, excluded: sign === '-' });
  }
  return terms;
}

function phraseOf({ text, prefix }: Term): string {
  // One character of a run begins the pairs that it stands in.
  const isOneOfARun = [...text].length === 1 && text.replace(RUN, '') === '';
  return `"${wantedText(text).trim()}"${prefix || isOneOfARun ? ' *' : ''}`;
}
