import { area, curveStepAfter, line } from 'd3-shape';
import { html } from 'hono/html';
import type { Html } from '../views/layout.ts';
import { numeral } from '../views/words.ts';
import { frame, yOf } from './bars.ts';
import { short, valueAxis } from './scales.ts';

export interface GrowthOptions {
  /** How many there were at the end of each place. */
  readonly totals: readonly number[];
  readonly labels: readonly string[];
  readonly names: readonly string[];
  readonly unit: string;
  readonly label: string;
}

/** How something grew: the area under its totals. */
export function growthChart({ totals, labels, names, unit, label }: GrowthOptions): Html {
  const axis = valueAxis(totals.at(-1) ?? 0);
  const width = 100 / Math.max(1, totals.length);
  // One more, so that the last step has its width.
  const steps = [...totals, totals.at(-1) ?? 0].map((total, place) => [place * width, total] as const);
  const x = ([at]: readonly [number, number]) => short(at);
  const y = ([, total]: readonly [number, number]) => short(yOf(axis, total));
  const filled = area<readonly [number, number]>().x(x).y0(yOf(axis, 0)).y1(y).curve(curveStepAfter)(steps);
  const outline = line<readonly [number, number]>().x(x).y(y).curve(curveStepAfter)(steps);
  const height = yOf(axis, 0);
  const plot = html`<svg viewBox="0 0 100 ${height}" width="100%" height="${height}" preserveAspectRatio="none"><path class="area" d="${filled}"></path><path class="line" d="${outline}"></path></svg>
${totals.map((total, place) => html`<rect class="hit" x="${short(place * width)}%" width="${short(width)}%" y="0" height="${height}"><title>${names[place]}: ${numeral(total)} ${unit}</title></rect>`)}`;
  return frame({ axis, label, unit, plot, labels, xOf: (place) => place * width });
}
