import { scaleBand } from 'd3-scale';
import { stack } from 'd3-shape';
import { html } from 'hono/html';
import type { Html } from '../views/layout.ts';
import { numeral } from '../views/words.ts';
import { short, type ValueAxis, valueAxis } from './scales.ts';

const HEIGHT = 200;
/** A narrow screen has room for so many labels under a chart; of more, it shows every other one. */
const MOST_LABELS = 8;
/** Room for half a line of text above and below. */
const PAD = 8;

export interface Series {
  readonly name: string;
  /** One for each place. */
  readonly values: readonly number[];
}

export interface BarsOptions {
  /** What stands under each place; '' under those that have no room. */
  readonly labels: readonly string[];
  /** What the places are, for tooltips. */
  readonly names: readonly string[];
  /** What is counted: `messages`. */
  readonly unit: string;
  readonly label: string;
  /** On top of one another. Classes s0, s1, … have their colours in charts.css. */
  readonly series: readonly Series[];
}

/** Bars side by side, those of several series on top of one another. */
export function barChart({ labels, names, unit, label, series }: BarsOptions): Html {
  const layers = stack<number, string>()
    .keys(series.map((_, index) => String(index)))
    .value((place, key) => series[Number(key)]?.values[place] ?? 0)(names.map((_, place) => place));
  const axis = valueAxis(Math.max(...layers.flatMap((layer) => layer.map(([, top]) => top)), 0));
  const band = scaleBand<number>()
    .domain(names.map((_, place) => place))
    .range([0, 100])
    .paddingInner(0.25);
  const bars = layers.map((layer, index) =>
    layer.map(([bottom, top], place) =>
      top === bottom
        ? ''
        : html`<rect class="s${index}" x="${short(band(place) ?? 0)}%" width="${short(band.bandwidth())}%" y="${short(yOf(axis, top))}" height="${short(Math.max(1, yOf(axis, bottom) - yOf(axis, top)))}"><title>${names[place]}: ${numeral(top - bottom)} ${series.length > 1 ? series[index]?.name : unit}</title></rect>`,
    ),
  );
  return frame({
    axis,
    label,
    unit,
    plot: html`${bars}`,
    labels,
    xOf: (place) => (band(place) ?? 0) + band.bandwidth() / 2,
  });
}

export interface Frame {
  readonly axis: ValueAxis;
  readonly label: string;
  readonly unit: string;
  readonly plot: Html;
  readonly labels: readonly string[];
  /** Where a place is, in per cent of the width. */
  readonly xOf: (place: number) => number;
}

/** Where a value is, from the top, in pixels. */
export function yOf(axis: ValueAxis, value: number): number {
  return PAD + (HEIGHT - 2 * PAD) * (1 - axis.share(value));
}

/**
 * Axes around a plot. Widths are per cents and heights pixels, so that a chart fills its place at any width and its text keeps
 * its size.
 */
export function frame({ axis, label, unit, plot, labels, xOf }: Frame): Html {
  const placed = labels.flatMap((text, place) => (text === '' ? [] : [{ text, x: xOf(place), place }]));
  return html`<p class="unit" aria-hidden="true">${unit}</p>
<div class="chart"><svg class="side" height="${HEIGHT}" aria-hidden="true">${axis.ticks.map((tick) => html`<text x="100%" y="${short(yOf(axis, tick) + 4)}">${compact(tick)}</text>`)}</svg>
<svg class="plot" height="${HEIGHT}" role="img" aria-label="${label}">${axis.ticks.map((tick) => html`<line x1="0" x2="100%" y1="${short(yOf(axis, tick))}" y2="${short(yOf(axis, tick))}"></line>`)}${plot}</svg>
<svg class="under" height="20" aria-hidden="true">${placed.map(({ text, x, place }) => html`<text x="${short(x)}%" y="14" class="${anchor(x)}${placed.length > MOST_LABELS && place % 2 === 1 ? ' minor' : ''}">${text}</text>`)}</svg></div>`;
}

function anchor(x: number): string {
  return x < 3 ? 'start' : x > 97 ? 'end' : 'middle';
}

/** `12k` */
function compact(n: number): string {
  return new Intl.NumberFormat('en-US', { notation: 'compact' }).format(n);
}

/** What each colour of a chart is. */
export function seriesLegend(series: readonly { readonly name: string; readonly value: string }[]): Html {
  return html`<ul class="legend">${series.map(({ name, value }, index) => html`<li><svg class="swatch" viewBox="0 0 16 16" aria-hidden="true"><rect class="s${index}"></rect></svg>${name} <span class="faint">${value}</span></li>`)}</ul>`;
}
