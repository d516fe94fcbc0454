/** What was measured of one thing; times in ms, sizes in bytes. */
export interface Figures {
  readonly tool: string;
  readonly wall_ms: number;
  readonly [figure: string]: string | number;
}

/** One tool's figures: medians over the rounds, taken in turn with the others in the same run. */
export interface Row extends Figures {
  readonly cpu_ms: number;
  /** Peak resident set. */
  readonly rss_bytes: number;
  /** What was processed. */
  readonly bytes: number;
}

export interface BenchResult {
  readonly name: string;
  /** The goal in words, with its figure. */
  readonly goal: string;
  /** Ours over the best peer's, of the figure that the goal names. */
  readonly ratio: number;
  readonly met: boolean;
  readonly rows: readonly Figures[];
}

export interface Bench {
  readonly name: string;
  /** What it shows, for the list of benchmarks. */
  readonly summary: string;
  /** Programs of the peers, and the Debian packages that bring them. */
  readonly needs: readonly { readonly path: string; readonly debianPackage: string }[];
  /** `say` tells a person how far it is. */
  run(say: (line: string) => void): Promise<BenchResult>;
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  if (low === undefined || high === undefined) throw new RangeError('There is no median of nothing.');
  return (low + high) / 2;
}
