import type { Term } from '../words.ts';

/** A piece of a text around what was searched for. */
export interface Snippet {
  readonly text: string;
  /** What was found in it: from and behind, in UTF-16 units. */
  readonly marks: readonly (readonly [number, number])[];
}

const LENGTH = 240;
/** How much of the text before the first mark is shown. */
const LEAD = 60;
/** Words are looked for in that much of a text, and no further. */
const MOST_SEARCHED = 2_000_000;
const WORD = /[\p{L}\p{N}\p{M}\p{Co}]+/gu;
const MARKS = /\p{M}+/gu;

/** As the index has it: without case and diacritics. */
function folded(word: string): string {
  return word.normalize('NFD').replace(MARKS, '').toLowerCase();
}

/** The piece of a text with most of what was searched for; its beginning where nothing is found. */
export function snippetOf(text: string, terms: readonly Term[]): Snippet {
  const marks = marksIn(text.slice(0, MOST_SEARCHED), terms);
  const start = startOfBest(text, marks);
  const end = Math.min(text.length, start + LENGTH);
  const piece = text.slice(start, end).toWellFormed();
  const before = start > 0 ? '…' : '';
  const inside = marks.filter(([from, to]) => from >= start && to <= end);
  return {
    text: `${before}${piece}${end < text.length ? '…' : ''}`,
    marks: inside.map(([from, to]) => [from - start + before.length, to - start + before.length]),
  };
}

type Mark = readonly [number, number];

function marksIn(text: string, terms: readonly Term[]): Mark[] {
  const wanted = terms.filter(({ excluded }) => !excluded);
  const words = wanted.flatMap(({ text: phrase, prefix }) => {
    const all = (phrase.match(WORD) ?? []).map(folded);
    return all.map((word, index) => ({ word, prefix: prefix && index === all.length - 1 }));
  });
  const marks: Mark[] = [];
  for (const match of text.matchAll(WORD)) {
    const found = folded(match[0]);
    for (const { word, prefix } of words) {
      if (found === word || (prefix && found.startsWith(word))) {
        marks.push([match.index, match.index + match[0].length]);
        break;
      }
      // Languages that put no spaces between words.
      const at = /[\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ud7ff\ud840-\ud8ff]/.test(word)
        ? match[0].indexOf(word.normalize('NFC'))
        : -1;
      if (at !== -1) {
        marks.push([match.index + at, match.index + at + word.normalize('NFC').length]);
        break;
      }
    }
  }
  return marks;
}

/** Where the piece with most marks begins, at the beginning of a word. */
function startOfBest(text: string, marks: readonly Mark[]): number {
  let [best, most] = [0, 0];
  for (let first = 0, behind = 0; first < marks.length; first += 1) {
    const from = marks[first]?.[0] ?? 0;
    while (behind < marks.length && (marks[behind]?.[1] ?? 0) <= from + LENGTH - LEAD) behind += 1;
    if (behind - first > most) [best, most] = [from, behind - first];
  }
  if (best <= LEAD) return 0;
  const space = text.slice(best - LEAD, best).search(/\s/u);
  return best - LEAD + (space === -1 ? 0 : space + 1);
}
