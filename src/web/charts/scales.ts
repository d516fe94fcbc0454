import { scaleLinear } from 'd3-scale';

/** Round numbers for an axis from 0 on, and where a value is on it, as a share of its length. */
export interface ValueAxis {
  readonly ticks: readonly number[];
  readonly share: (value: number) => number;
}

const TICKS = 4;

export function valueAxis(largest: number): ValueAxis {
  const scale = scaleLinear()
    .domain([0, Math.max(1, largest)])
    .nice(TICKS);
  return { ticks: scale.ticks(TICKS).filter(Number.isInteger), share: (value) => scale(value) };
}

/** How strong each of these numbers is shown: 0 for none, then 1 to `levels` by rank, so that one busy day does not pale all others. */
export function levelsOf(numbers: readonly number[], levels: number): { level: (n: number) => number; from: number[] } {
  const sorted = numbers.filter((n) => n > 0).sort((a, b) => a - b);
  const bounds = Array.from(
    { length: levels },
    (_, index) => sorted[Math.floor((sorted.length * index) / levels)] ?? 1,
  );
  const from = [...new Set(bounds)];
  return { from, level: (n) => (n <= 0 ? 0 : Math.max(1, from.findLastIndex((bound) => n >= bound) + 1)) };
}

/** Two decimals are enough for where something is drawn. */
export function short(n: number): number {
  return Math.round(n * 100) / 100;
}
