/** Of one message; the rest is a link away. Markdown takes a second for the worst of that length. */
export const SHOWN_CHARACTERS = 60_000;

/** How much of what takes long a page may have; behind that, the text stands as it is. */
export class Allowance {
  readonly #left = { formulas: 1_000, 'highlighted characters': 200_000 };

  /** Whether there is as much left; then it is gone. */
  take(what: 'formulas' | 'highlighted characters', amount: number): boolean {
    if (this.#left[what] < amount) return false;
    this.#left[what] -= amount;
    return true;
  }
}

/** The one that a page's rendering carries with it. */
export function allowanceIn(env: Readonly<Record<string, unknown>> | undefined): Allowance | undefined {
  return env?.allowance instanceof Allowance ? env.allowance : undefined;
}
