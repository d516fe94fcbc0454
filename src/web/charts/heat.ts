import { html } from 'hono/html';
import type { Html } from '../views/layout.ts';
import { numeral } from '../views/words.ts';
import { levelsOf, short } from './scales.ts';

/** Classes l0 to l5 have their colours in charts.css. */
const LEVELS = 5;
const CELL = 18;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

export function monthName(month: number): string {
  return MONTHS[month] ?? '';
}

/** The days of a year, month by month. */
export function byMonth(year: number, days: readonly number[]): (readonly number[])[] {
  let first = 0;
  return MONTHS.map((_, month) => {
    const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    first += length;
    return days.slice(first - length, first);
  });
}

/** A calendar of a year: a leaf for each month, a square for each day, as strong as there were messages. */
export function calendarHeat(year: number, days: readonly number[]): Html {
  const { level, from } = levelsOf(days, LEVELS);
  const leaves = byMonth(year, days).map((ofMonth, month) =>
    leaf(monthName(month), new Date(Date.UTC(year, month)).getUTCDay(), ofMonth, level),
  );
  return html`<div class="calendar">${leaves}</div>${legend(from)}`;
}

function leaf(name: string, firstWeekday: number, days: readonly number[], level: (n: number) => number): Html {
  const before = (firstWeekday + 6) % 7;
  const all = days.reduce((sum, n) => sum + n, 0);
  return html`<figure><figcaption aria-hidden="true">${name.slice(0, 3)}</figcaption><svg viewBox="0 0 ${7 * CELL} ${6 * CELL}" width="${7 * CELL}" height="${6 * CELL}" role="img" aria-label="${name}: ${messages(all)}">${days.map(
    (n, index) => {
      const place = before + index;
      return html`<rect class="l${level(n)}" x="${(place % 7) * CELL}" y="${Math.floor(place / 7) * CELL}">${tooltip(n, `${name} ${index + 1}`)}</rect>`;
    },
  )}</svg></figure>`;
}

function legend(from: readonly number[]): Html {
  return html`<ul class="legend"><li><svg class="swatch" viewBox="0 0 16 16" aria-hidden="true"><rect class="l0"></rect></svg>none</li>${from.map(
    (bound, index) =>
      html`<li><svg class="swatch" viewBox="0 0 16 16" aria-hidden="true"><rect class="l${index + 1}"></rect></svg>${rangeOf(bound, from[index + 1])}</li>`,
  )}</ul>`;
}

function rangeOf(from: number, next: number | undefined): string {
  if (next === undefined) return `${numeral(from)} or more`;
  return next - 1 === from ? numeral(from) : `${numeral(from)}–${numeral(next - 1)}`;
}

const ROW = 24;
const HOURS = 24;

/** A week by its hours: a row for each day, a square for each hour. */
export function weekHeat(hours: readonly number[]): Html {
  const { level, from } = levelsOf(hours, LEVELS);
  const width = 100 / HOURS;
  return html`<div class="chart week"><svg class="side" height="${7 * ROW}" aria-hidden="true">${WEEKDAYS.map(
    (name, day) => html`<text x="0" y="${day * ROW + 16}">${name.slice(0, 3)}</text>`,
  )}</svg>
<svg class="plot" height="${7 * ROW}" role="img" aria-label="Messages by weekday and hour">${hours.map(
    (n, index) =>
      html`<rect class="l${level(n)}" x="${short((index % HOURS) * width)}%" y="${Math.floor(index / HOURS) * ROW}">${tooltip(n, `${WEEKDAYS[Math.floor(index / HOURS)]} ${index % HOURS} to ${(index % HOURS) + 1} o’clock`)}</rect>`,
  )}</svg>
<svg class="under" height="20" aria-hidden="true">${[0, 6, 12, 18].map((hour) => html`<text x="${short(hour * width)}%" y="14">${hour}:00</text>`)}</svg></div>${legend(from)}`;
}

export function weekdayName(day: number): string {
  return WEEKDAYS[day] ?? '';
}

/** None where there is nothing to tell: that would be half of the page. */
function tooltip(n: number, of: string): Html | string {
  return n === 0 ? '' : html`<title>${of}: ${messages(n)}</title>`;
}

function messages(n: number): string {
  return n === 1 ? '1 message' : `${n === 0 ? 'no' : numeral(n)} messages`;
}
