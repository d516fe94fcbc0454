import { Catalog } from './catalog.ts';

/**
 * The catalog for somebody who reads for as long as the service runs: what is added shows by itself, and one that was
 * made anew takes the place of the one before.
 */
export class LastingCatalog implements Disposable {
  readonly #directory: string;
  #catalog: Catalog | undefined;
  /** Kept open until the next one, for whoever is still reading it. */
  #retired: Catalog | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** As it is now; undefined where there is none yet. It belongs to this object. */
  get current(): Catalog | undefined {
    if (this.#catalog === undefined || this.#catalog.isReplaced) {
      this.#retired?.[Symbol.dispose]();
      this.#retired = this.#catalog;
      this.#catalog = Catalog.open(this.#directory);
    }
    return this.#catalog;
  }

  [Symbol.dispose](): void {
    this.#retired?.[Symbol.dispose]();
    this.#catalog?.[Symbol.dispose]();
    [this.#retired, this.#catalog] = [undefined, undefined];
  }
}
