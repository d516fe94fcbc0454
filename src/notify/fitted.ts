export interface FitOptions {
  /** The most that the result may measure. */
  readonly most: number;
  /** How the service wants each character written: an escape, for example. As it is unless told. */
  readonly written?: (character: string) => string;
  /** What the service counts: UTF-16 units unless told. */
  readonly measure?: (text: string) => number;
}

const ELLIPSIS = '…';

/**
 * The text as a service takes it: with what has to be escaped, and cut at the end if it would be too long. No character
 * and no escape is cut in two.
 */
export function fitted(text: string, { most, written = (character) => character, measure = lengthOf }: FitOptions) {
  const room = most - measure(ELLIPSIS);
  let whole = '';
  let cut = '';
  let size = 0;
  for (const character of text) {
    const next = written(character);
    whole += next;
    size += measure(next);
    if (size <= room) cut = whole;
    if (size > most) return `${cut.trimEnd()}${ELLIPSIS}`;
  }
  return whole;
}

function lengthOf(text: string): number {
  return text.length;
}
