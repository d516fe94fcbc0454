import { ChatkeepError } from '../lib/errors.ts';
import { count } from '../lib/text.ts';

/**
 * What is found while the configuration is read and checked, so that the user hears of everything at once. Each entry is
 * one line: the key or variable as they wrote it, what is wrong, and the fix. No entry shows a value that may be secret.
 */
export class Findings {
  readonly #problems = new Set<string>();
  readonly #warnings = new Set<string>();

  problem(line: string): void {
    this.#problems.add(line);
  }

  warning(line: string): void {
    this.#warnings.add(line);
  }

  get warnings(): string[] {
    return [...this.#warnings];
  }

  /** @throws ChatkeepError `config` that lists every problem, if there is one */
  throwIfProblems(): void {
    if (this.#problems.size === 0) return;
    const head = `There ${this.#problems.size === 1 ? 'is' : 'are'} ${count(this.#problems.size, 'problem')} in the configuration:`;
    throw new ChatkeepError('config', [head, ...this.#problems].join('\n'));
  }
}
