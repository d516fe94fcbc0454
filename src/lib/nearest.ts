/** More typing slips than this in one word, and a guess would be noise. */
const MOST_SLIPS = 3;

/**
 * The candidate that a mistyped word was most likely meant to be, or undefined when none is near: at most one slip in
 * three letters, three in all (case ignored).
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase().slice(0, 100);
  let best: string | undefined;
  let fewest = Math.min(MOST_SLIPS, Math.ceil(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const slips = distance(typed, candidate.toLowerCase());
    if (slips < fewest) {
      best = candidate;
      fewest = slips;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that make `a` into `b` (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row += 1) {
    rows[row] = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = at(row - 1, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const slips = Math.min(replaced, at(row - 1, column) + 1, at(row, column - 1) + 1);
      rows[row]?.push(swapped ? Math.min(slips, at(row - 2, column - 2) + 1) : slips);
    }
  }
  return at(a.length, b.length);
}
