/** A snapshot, as the catalog is handed it. */
export interface CatalogSource {
  readonly account: string;
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  /** ms UTC */
  readonly exportTime: number;
  /** The SHA-256 of its files, by path; a file that is not named has its own taken. Those of conversations are enough. */
  readonly sums: Readonly<Record<string, string>>;
}
