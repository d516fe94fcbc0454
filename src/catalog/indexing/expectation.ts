import type { DatabaseSync } from 'node:sqlite';
import type { Fingerprint, KnownElements } from '../../chatgpt/index.ts';

interface Expected extends Fingerprint {
  readonly conversation: number;
}

/**
 * Which conversation comes next in a snapshot, by the one before it: most are what they were, and in the same order.
 * New ones are passed without losing the place; after a changed one it goes on with what followed its earlier state.
 */
export class Expectation implements KnownElements {
  readonly #list: readonly Expected[];
  readonly #places: ReadonlyMap<number, number>;
  readonly #isKnown: (digest: string) => boolean;
  #next = 0;

  private constructor(list: readonly Expected[], isKnown: (digest: string) => boolean) {
    this.#list = list;
    this.#places = new Map(list.map(({ conversation }, place) => [conversation, place] as const));
    this.#isKnown = isKnown;
  }

  /** By the newest snapshot of the account that is in the catalog as a whole. */
  static of(database: DatabaseSync, account: string, isKnown: (digest: string) => boolean): Expectation {
    const rows = database
      .prepare(
        `SELECT v.conversation, v.digest, m.bytes, m.checksum
         FROM placed p JOIN member m ON m.content = p.content JOIN version v ON v.id = m.version
         WHERE p.snapshot = (
           SELECT id FROM snapshot WHERE account = ? AND whole = 1 ORDER BY export_time DESC, name DESC LIMIT 1)
         ORDER BY p.place, m.place`,
      )
      .all(account);
    const list = rows.map(({ conversation, digest, bytes, checksum }) => ({
      conversation: Number(conversation),
      digest: String(digest),
      bytes: Number(bytes),
      checksum: Number(checksum),
    }));
    return new Expectation(list, isKnown);
  }

  expected(): Fingerprint | undefined {
    return this.#list[this.#next];
  }

  has(digest: string): boolean {
    return this.#isKnown(digest);
  }

  /** A conversation has come, in whatever state. */
  saw(conversation: number): void {
    const place = this.#places.get(conversation);
    if (place !== undefined) this.#next = place + 1;
  }
}
