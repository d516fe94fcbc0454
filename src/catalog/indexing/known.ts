import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Fingerprint, KnownElements } from '../../chatgpt/index.ts';

/**
 * The conversations that the catalog has of an account, and which of them comes next in a snapshot, by the one before
 * it: most are what they were, and in the same order. New ones are passed without losing the place; after a changed one
 * it goes on with what followed its earlier state.
 */
export class KnownConversations implements KnownElements {
  readonly #expected: readonly Fingerprint[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #idOf: (digest: string) => string | undefined;
  /** What was met since, which may not be written yet. */
  readonly #met = new Map<string, string>();
  #next = 0;

  private constructor(
    rows: readonly (Fingerprint & { readonly id: string })[],
    idOf: (digest: string) => string | undefined,
  ) {
    this.#expected = rows;
    this.#places = new Map(rows.map(({ id }, place) => [id, place] as const));
    this.#idOf = idOf;
  }

  /** What is expected are those of the account's newest snapshot that is in the catalog as a whole. */
  static of(database: DatabaseSync, account: string): KnownConversations {
    const rows = database
      .prepare(
        `SELECT c.provider_id AS id, v.digest, m.bytes, m.checksum
         FROM placed p JOIN member m ON m.content = p.content JOIN version v ON v.id = m.version
         JOIN conversation c ON c.id = v.conversation
         WHERE p.snapshot = (
           SELECT id FROM snapshot WHERE account = ? AND whole = 1 ORDER BY export_time DESC, name DESC LIMIT 1)
         ORDER BY p.place, m.place`,
      )
      .all(account)
      .map(({ id, digest, bytes, checksum }) => ({
        id: String(id),
        digest: String(digest),
        bytes: Number(bytes),
        checksum: Number(checksum),
      }));
    const find: StatementSync = database.prepare(
      `SELECT c.provider_id AS id FROM version v JOIN conversation c ON c.id = v.conversation
       WHERE v.digest = ? AND c.account = ?`,
    );
    return new KnownConversations(rows, (digest) => {
      const row = find.get(digest, account);
      return row === undefined ? undefined : String(row.id);
    });
  }

  expected(): Fingerprint | undefined {
    return this.#expected[this.#next];
  }

  has(digest: string): boolean {
    return this.#met.has(digest) || this.#idOf(digest) !== undefined;
  }

  /** A conversation has come, in a state of that digest. @param id the provider's, where the state was not known */
  saw(digest: string, id: string | undefined): void {
    if (id !== undefined) this.#met.set(digest, id);
    const seen = id ?? this.#met.get(digest) ?? this.#idOf(digest);
    const place = seen === undefined ? undefined : this.#places.get(seen);
    if (place !== undefined) this.#next = place + 1;
  }
}
