import { DAY_MS, MINUTE_MS } from './clock.ts';

/** A stretch of each day, in the time zone of the process (TZ). Minutes since midnight; it may go over midnight. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
}

/** What {@link readQuietHours} takes: `22:00-07:00`. */
const FORM = /^([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)$/;

/** @returns undefined for a text of another form, and for one that is empty or the whole day */
export function readQuietHours(text: string): QuietHours | undefined {
  const [, fromHours, fromMinutes, toHours, toMinutes] = (FORM.exec(text.trim()) ?? []).map(Number);
  if (fromHours === undefined || fromMinutes === undefined || toHours === undefined || toMinutes === undefined) {
    return undefined;
  }
  const quiet = { from: fromHours * 60 + fromMinutes, to: toHours * 60 + toMinutes };
  return quiet.from === quiet.to ? undefined : quiet;
}

/**
 * When the quiet hours that `now` (ms UTC) lies in are over, ms UTC; undefined if it does not lie in them. Looked for
 * minute by minute on the wall clock, so that a night in which clocks are changed ends when the clock on the wall says so.
 */
export function endOfQuiet(quiet: QuietHours, now: number): number | undefined {
  if (!isQuiet(quiet, now)) return undefined;
  const minute = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  for (let at = minute + MINUTE_MS; at < now + 2 * DAY_MS; at += MINUTE_MS) {
    if (!isQuiet(quiet, at)) return at;
  }
  return undefined;
}

function isQuiet({ from, to }: QuietHours, at: number): boolean {
  const wall = new Date(at);
  const minute = wall.getHours() * 60 + wall.getMinutes();
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}
