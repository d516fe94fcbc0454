import type { DatabaseSync } from 'node:sqlite';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { LocalTime } from '../local-time.ts';
import { SECONDS_IN_SQL } from '../message-ids.ts';
import { numberOf, numberOrNone, textOrNone } from './rows.ts';

export interface ActivityQuestion {
  /** Of this account alone. */
  readonly account?: string | undefined;
  /** Whose days and hours are counted: `Europe/Berlin`. */
  readonly zone: string;
}

/** When what was written: each message once, over all snapshots, hidden ones left out; in the days of a time zone. */
export interface Activity {
  readonly zone: string;
  /** Those with a time; `undated` have none, and are in no other number. */
  readonly messages: number;
  readonly undated: number;
  /** Of the newest state of each; one without a time is in no month. */
  readonly conversations: number;
  /** Answers by model, the most frequent first. */
  readonly models: readonly { readonly model: string; readonly messages: number }[];
  /** From the first to the last in which there is something, none left out. */
  readonly years: readonly YearOfActivity[];
}

export interface YearOfActivity {
  readonly year: number;
  readonly messages: number;
  /** Messages by day of the year: 365 or 366 numbers. */
  readonly days: readonly number[];
  /** Messages by hour of the week: 168 numbers, from Monday 0 to 1 o'clock on. */
  readonly hours: readonly number[];
  readonly months: readonly MonthOfActivity[];
}

export interface MonthOfActivity {
  readonly messages: number;
  /** Answers by model. */
  readonly byModel: Readonly<Record<string, number>>;
  /** Conversations that were begun in it, and those of them in which something was spoken. */
  readonly conversations: number;
  readonly spoken: number;
}

const QUARTER_SECONDS = 900;
const HOURS_A_WEEK = 168;

/** Counts all messages by quarter of an hour, which is the finest step of time zones: a second for a million of them. */
export function activity(database: DatabaseSync, { account, zone }: ActivityQuestion): Activity {
  const time = new LocalTime(zone);
  const years = new Map<number, Year>();
  const at = (ms: number): { year: Year; wall: Date } => {
    const wall = new Date(time.wall(ms));
    const number = wall.getUTCFullYear();
    const year = years.get(number) ?? emptyYear(number);
    years.set(number, year);
    return { year, wall };
  };
  const models = new Map<string, number>();
  let messages = 0;
  const ofMine = `(:account IS NULL OR message.conversation IN (SELECT id FROM conversation WHERE account = :account))`;
  const parameters = { account: account ?? null };
  const counted = database.prepare(
    `SELECT ${SECONDS_IN_SQL} / ${QUARTER_SECONDS} AS quarter, model.name AS model, count(*) AS n
     FROM message LEFT JOIN model ON model.id = message.model
     WHERE message.hidden = 0 AND message.dated = 1 AND ${ofMine} GROUP BY quarter, message.model`,
  );
  for (const row of counted.iterate(parameters)) {
    const n = numberOf(row.n);
    const { year, wall } = at(numberOf(row.quarter) * QUARTER_SECONDS * 1000);
    const month = year.months[wall.getUTCMonth()];
    const model = textOrNone(row.model);
    messages += n;
    year.messages += n;
    year.days[dayOfYear(wall)] = (year.days[dayOfYear(wall)] ?? 0) + n;
    year.hours[hourOfWeek(wall)] = (year.hours[hourOfWeek(wall)] ?? 0) + n;
    if (month === undefined) continue;
    month.messages += n;
    if (model === undefined) continue;
    month.byModel[model] = (month.byModel[model] ?? 0) + n;
    models.set(model, (models.get(model) ?? 0) + n);
  }
  const undated = database
    .prepare(`SELECT count(*) AS n FROM message WHERE hidden = 0 AND dated = 0 AND ${ofMine}`)
    .get(parameters);
  const begun = database
    .prepare(
      `SELECT coalesce(v.created_at, v.newest_at) AS at, v.spoken FROM conversation c JOIN version v ON v.id = c.head
       WHERE (:account IS NULL OR c.account = :account)`,
    )
    .all(parameters);
  for (const row of begun) {
    const ms = numberOrNone(row.at);
    if (ms === undefined || !Number.isFinite(new Date(ms).getTime())) continue;
    const { year, wall } = at(ms);
    const month = year.months[wall.getUTCMonth()];
    if (month === undefined) continue;
    month.conversations += 1;
    month.spoken += row.spoken === 1 ? 1 : 0;
  }
  return {
    zone,
    messages,
    undated: numberOf(undated?.n),
    conversations: begun.length,
    models: [...models]
      .map(([model, n]) => ({ model, messages: n }))
      .sort((a, b) => b.messages - a.messages || (a.model < b.model ? -1 : 1)),
    years: withoutGaps(years),
  };
}

interface Year extends YearOfActivity {
  messages: number;
  readonly days: number[];
  readonly hours: number[];
  readonly months: { messages: number; byModel: Record<string, number>; conversations: number; spoken: number }[];
}

function emptyYear(year: number): Year {
  const days = Math.round((Date.UTC(year + 1, 0) - Date.UTC(year, 0)) / DAY_MS);
  return {
    year,
    messages: 0,
    days: new Array<number>(days).fill(0),
    hours: new Array<number>(HOURS_A_WEEK).fill(0),
    // Models are named by exports: their names may be anything.
    months: Array.from({ length: 12 }, () => ({
      messages: 0,
      byModel: Object.create(null),
      conversations: 0,
      spoken: 0,
    })),
  };
}

/** A time that makes no sense must not make thousands of empty years. */
const MOST_YEARS = 60;

function withoutGaps(years: ReadonlyMap<number, Year>): Year[] {
  const [first, last] = [Math.min(...years.keys()), Math.max(...years.keys())];
  if (years.size === 0) return [];
  if (last - first >= MOST_YEARS) return [...years.values()].sort((a, b) => a.year - b.year);
  return Array.from({ length: last - first + 1 }, (_, index) => years.get(first + index) ?? emptyYear(first + index));
}

function dayOfYear(wall: Date): number {
  return Math.floor((wall.getTime() - Date.UTC(wall.getUTCFullYear(), 0)) / DAY_MS);
}

/** Of a week that begins on Monday. */
function hourOfWeek(wall: Date): number {
  return ((wall.getUTCDay() + 6) % 7) * 24 + Math.floor((wall.getTime() % DAY_MS) / HOUR_MS);
}
