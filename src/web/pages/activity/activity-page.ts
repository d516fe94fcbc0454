import { html } from 'hono/html';
import type { Activity, YearOfActivity } from '../../../catalog/index.ts';
import { count } from '../../../lib/text.ts';
import { queryOf } from '../../addresses.ts';
import { barChart, seriesLegend } from '../../charts/bars.ts';
import { chartFigure, numbersTable } from '../../charts/figure.ts';
import { growthChart } from '../../charts/growth.ts';
import { byMonth, calendarHeat, monthName, weekdayName, weekHeat } from '../../charts/heat.ts';
import { type Html, layout } from '../../views/layout.ts';
import { figures, notice, tabs } from '../../views/parts.ts';
import { numeral } from '../../views/words.ts';
import { growthOf, recordsOf } from './records.ts';

const MODELS_SHOWN = 6;
const MONTH_PLACES = Array.from({ length: 12 }, (_, month) => month);

export interface ActivityPageOptions {
  /** Undefined where there is no catalog yet. */
  readonly activity: Activity | undefined;
  readonly accounts: readonly string[];
  readonly account: string | undefined;
  /** As it stands in the address. */
  readonly year: string | undefined;
  /** Whether the zone is the service's, or was chosen. */
  readonly zoneIsChosen: boolean;
  readonly zone: string;
  /** A time zone that was typed and is not known. */
  readonly unknownZone: string | undefined;
}

/** When what was written, in charts. */
export function activityPage(options: ActivityPageOptions): Html {
  const { activity } = options;
  const years = activity?.years ?? [];
  const year = years.find((one) => String(one.year) === options.year) ?? years.findLast((one) => one.messages > 0);
  const main = html`<h1>Activity</h1>
${filterForm(options, year?.year)}
${activity === undefined || year === undefined ? NOTHING_YET : html`${yearTabs(options, years, year)}${ofYear(year, activity)}${overAll(activity)}`}`;
  return layout({
    title: 'Activity',
    section: 'activity',
    styles: ['archive.css', 'charts.css'],
    scripts: ['zone.js'],
    main,
  });
}

const NOTHING_YET = html`<p>There is nothing to count yet. Messages are counted once a snapshot was made and its conversations
were indexed, which takes a minute or two.</p>`;

function addressOf({ account }: ActivityPageOptions, year: number | undefined): string {
  return `/activity${queryOf({ account, year })}`;
}

function filterForm(options: ActivityPageOptions, year: number | undefined): Html {
  const { accounts, account, zone, zoneIsChosen, unknownZone } = options;
  return html`${unknownZone === undefined ? '' : notice('warn', html`<p>There is no time zone “${unknownZone}”. Names are like <code>Europe/Berlin</code>, <code>America/New_York</code> or <code>UTC</code>.</p>`)}
<form class="row" action="/activity">
${
  accounts.length < 2
    ? ''
    : html`<label>Account
<select name="account"><option value="">All accounts</option>${accounts.map((name) => html`<option${name === account ? html` selected` : ''}>${name}</option>`)}</select></label>`
}
<label>Time zone
<input name="tz" value="${zone}" autocomplete="off" autocapitalize="off" spellcheck="false"></label>
${year === undefined ? '' : html`<input type="hidden" name="year" value="${year}">`}
<button>Show</button>
</form>
<p class="faint">Days and hours are those of ${zone}, ${zoneIsChosen ? 'which you chose' : 'the time zone of the service'}.</p>
<p data-zone="${zone}" hidden><a href="${addressOf(options, year)}">Use the time zone of this browser</a></p>`;
}

function yearTabs(options: ActivityPageOptions, years: readonly YearOfActivity[], current: YearOfActivity): Html {
  return tabs(
    'Years',
    years.map(({ year }) => ({
      name: String(year),
      address: addressOf(options, year),
      isCurrent: year === current.year,
    })),
  );
}

const DATE = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'long' });

function ofYear(year: YearOfActivity, activity: Activity): Html {
  const { activeDays, busiest, longestStreak } = recordsOf([year]);
  const conversations = year.months.reduce((sum, month) => sum + month.conversations, 0);
  return html`${figures([
    { name: `Messages in ${year.year}`, value: numeral(year.messages) },
    { name: 'Conversations begun', value: numeral(conversations) },
    { name: 'Days with messages', value: numeral(activeDays) },
    ...(busiest === undefined
      ? []
      : [
          {
            name: 'Busiest day',
            value: html`${DATE.format(busiest.date)} <span class="faint">(${numeral(busiest.messages)})</span>`,
          },
        ]),
    ...(longestStreak === undefined || longestStreak.days < 2
      ? []
      : [
          {
            name: 'Most days in a row',
            value: html`${numeral(longestStreak.days)} <span class="faint">(until ${DATE.format(longestStreak.to)})</span>`,
          },
        ]),
  ])}
${daysFigure(year)}
${weekFigure(year)}
${modelsFigure(year, activity)}`;
}

function daysFigure({ year, days, messages }: YearOfActivity): Html {
  const rows = byMonth(year, days).map((ofMonth, month): [string, ...(number | string)[]] => [
    monthName(month),
    ...Array.from({ length: 31 }, (_, day) => ofMonth[day] ?? ''),
  ]);
  return chartFigure({
    id: 'days',
    title: `Messages by day, ${year}`,
    text: `${count(messages, 'message')} of ${year}, yours and ChatGPT's; weeks begin on Monday.`,
    chart: calendarHeat(year, days),
    table: numbersTable(['Month', ...Array.from({ length: 31 }, (_, day) => String(day + 1))], rows),
  });
}

function weekFigure({ year, hours }: YearOfActivity): Html {
  const busiest = hours.indexOf(Math.max(...hours));
  const hour = busiest % 24;
  return chartFigure({
    id: 'week',
    title: `Messages by hour of the week, ${year}`,
    text: `Most are of ${weekdayName(Math.floor(busiest / 24))}s from ${hour} to ${hour + 1} o’clock: ${numeral(hours[busiest] ?? 0)}.`,
    chart: weekHeat(hours),
    table: numbersTable(
      ['Hour', ...Array.from({ length: 7 }, (_, day) => weekdayName(day))],
      Array.from({ length: 24 }, (_, at): [string, ...number[]] => [
        `${at}:00`,
        ...Array.from({ length: 7 }, (_unused, day) => hours[day * 24 + at] ?? 0),
      ]),
    ),
  });
}

function modelsFigure({ year, months }: YearOfActivity, { models }: Activity): Html {
  const totals = models
    .map(({ model }) => ({ model, messages: sumOf(months.map(({ byModel }) => byModel[model] ?? 0)) }))
    .filter(({ messages }) => messages > 0)
    .sort((a, b) => b.messages - a.messages);
  if (totals.length === 0) return html``;
  const shown = totals.slice(0, MODELS_SHOWN);
  const rest = totals.slice(MODELS_SHOWN);
  const series = [
    ...shown.map(({ model }) => ({ name: model, values: months.map(({ byModel }) => byModel[model] ?? 0) })),
    ...(rest.length === 0
      ? []
      : [
          {
            name: count(rest.length, 'other model'),
            values: months.map(({ byModel }) => sumOf(rest.map(({ model }) => byModel[model] ?? 0))),
          },
        ]),
  ];
  return chartFigure({
    id: 'models',
    title: `Answers by model, ${year}`,
    text: `${count(sumOf(totals.map(({ messages }) => messages)), 'message')} name the model that wrote them.`,
    chart: html`${barChart({
      labels: MONTH_PLACES.map((month) => monthName(month).slice(0, 3)),
      names: MONTH_PLACES.map((month) => `${monthName(month)} ${year}`),
      unit: 'messages',
      label: `Messages of each month of ${year} by model`,
      series,
    })}${seriesLegend(series.map(({ name, values }) => ({ name, value: numeral(sumOf(values)) })))}`,
    table: numbersTable(
      ['Month', ...series.map(({ name }) => name)],
      MONTH_PLACES.map((month): [string, ...number[]] => [
        monthName(month),
        ...series.map(({ values }) => values[month] ?? 0),
      ]),
    ),
  });
}

function overAll(activity: Activity): Html {
  const growth = growthOf(activity);
  const names = growth.map(({ year, month }) => `${monthName(month)} ${year}`);
  const labels = growth.map(({ year, month }, place) => {
    // Where it would not run into the next one.
    const isFirst = place === 0 && 12 - month > growth.length / 6;
    return month === 0 || isFirst ? String(year) : '';
  });
  const { longestStreak, activeDays } = recordsOf(activity.years);
  const grown = (unit: 'messages' | 'conversations', total: number) =>
    chartFigure({
      id: `growth-${unit}`,
      title: `All ${unit}, month by month`,
      text: `${count(total, unit.slice(0, -1))} by now.`,
      chart: growthChart({
        totals: growth.map((one) => one[unit]),
        labels,
        names,
        unit,
        label: `Number of ${unit} at the end of each month`,
      }),
      table: numbersTable(
        ['Month', `All ${unit}`],
        growth.map((one, place): [string, number] => [names[place] ?? '', one[unit]]),
      ),
    });
  return html`<h2 class="over">Over all years</h2>
${figures([
  { name: 'Messages', value: numeral(activity.messages + activity.undated) },
  { name: 'Conversations', value: numeral(activity.conversations) },
  { name: 'Days with messages', value: numeral(activeDays) },
  ...(longestStreak === undefined || longestStreak.days < 2
    ? []
    : [{ name: 'Most days in a row', value: numeral(longestStreak.days) }]),
])}
${activity.undated === 0 ? '' : html`<p class="faint">${count(activity.undated, 'message')} bear no time and are in no chart.</p>`}
${grown('messages', growth.at(-1)?.messages ?? 0)}
${grown('conversations', growth.at(-1)?.conversations ?? 0)}
${voiceFigure(activity)}
<p class="faint">Each message is counted once over all snapshots, deleted conversations included; hidden ones are left out. What was deleted
before the first snapshot is not known here.</p>`;
}

function voiceFigure({ years }: Activity): Html {
  const rows = years.map(({ year, months }) => ({
    year: String(year),
    all: sumOf(months.map(({ conversations }) => conversations)),
    spoken: sumOf(months.map(({ spoken }) => spoken)),
  }));
  const [all, spoken] = [sumOf(rows.map((row) => row.all)), sumOf(rows.map((row) => row.spoken))];
  if (spoken === 0) return html``;
  const share = (part: number, whole: number) => `${whole === 0 ? 0 : Math.round((100 * part) / whole)} %`;
  const series = [
    { name: 'with something spoken', values: rows.map((row) => row.spoken) },
    { name: 'written only', values: rows.map((row) => row.all - row.spoken) },
  ];
  return chartFigure({
    id: 'voice',
    title: 'Conversations by voice',
    text: `In ${numeral(spoken)} of ${count(all, 'conversation')} (${share(spoken, all)}) something was spoken.`,
    chart: html`${barChart({
      labels: rows.map(({ year }) => year),
      names: rows.map(({ year }) => year),
      unit: 'conversations',
      label: 'Conversations of each year, with something spoken and written only',
      series,
    })}${seriesLegend(series.map(({ name, values }) => ({ name, value: numeral(sumOf(values)) })))}`,
    table: numbersTable(
      ['Year', 'Conversations', 'With something spoken', 'Share'],
      rows.map((row): [string, ...(number | string)[]] => [row.year, row.all, row.spoken, share(row.spoken, row.all)]),
    ),
  });
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
