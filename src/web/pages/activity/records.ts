import type { Activity, YearOfActivity } from '../../../catalog/index.ts';
import { DAY_MS } from '../../../lib/clock.ts';

/** A day, and how many messages it had. */
export interface BusyDay {
  /** ms UTC, midnight of the date. */
  readonly date: number;
  readonly messages: number;
}

/** Days in a row with messages on each. */
export interface Streak {
  /** Its last one, ms UTC. */
  readonly to: number;
  readonly days: number;
}

export interface Records {
  readonly activeDays: number;
  readonly busiest: BusyDay | undefined;
  readonly longestStreak: Streak | undefined;
}

/** What stands out in some years. */
export function recordsOf(years: readonly YearOfActivity[]): Records {
  let [activeDays, running] = [0, 0];
  let busiest: BusyDay | undefined;
  let longest: Streak | undefined;
  let expected = Number.NaN;
  for (const { year, days } of years) {
    for (const [index, messages] of days.entries()) {
      const date = Date.UTC(year, 0, 1 + index);
      if (date !== expected) running = 0;
      expected = date + DAY_MS;
      if (messages === 0) {
        running = 0;
        continue;
      }
      activeDays += 1;
      running += 1;
      if (busiest === undefined || messages > busiest.messages) busiest = { date, messages };
      if (longest === undefined || running > longest.days) longest = { to: date, days: running };
    }
  }
  return { activeDays, busiest, longestStreak: longest };
}

/** The years up to one, with the number of conversations and messages at the end of each month. */
export function growthOf({ years }: Activity): readonly {
  readonly year: number;
  readonly month: number;
  readonly messages: number;
  readonly conversations: number;
}[] {
  let [messages, conversations] = [0, 0];
  const all = years.flatMap(({ year, months }) =>
    months.map((one, month) => {
      messages += one.messages;
      conversations += one.conversations;
      return { year, month, messages, conversations, isEmpty: one.messages + one.conversations === 0 };
    }),
  );
  const [first, last] = [all.findIndex(({ isEmpty }) => !isEmpty), all.findLastIndex(({ isEmpty }) => !isEmpty)];
  return first === -1 ? [] : all.slice(first, last + 1);
}
