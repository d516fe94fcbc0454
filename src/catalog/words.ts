import { mayBeginRuns, RUN, wordsOfRun } from './indexed-text.ts';

/**
 * What is searched for, as `indexedText` has it: a run is a phrase of its pairs, `東京都` is `東京 京都`, for it may go on
 * behind; one character is a prefix.
 */
function wantedText(text: string): string {
  return text.replace(RUN, (run: string, at: number) => {
    const words = wordsOfRun(run);
    const mayGoOn = words.length > 1 && at + run.length === text.length;
    return ` ${(mayGoOn ? words.slice(0, -1) : words).join(' ')} `;
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
  const mayGoOn = prefix && !mayBeginRuns(text);
  return `"${wantedText(text).trim()}"${mayGoOn || isOneOfARun ? ' *' : ''}`;
}
