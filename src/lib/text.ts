import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './clock.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** A size for people, in decimal units: `4.8 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A duration for people, with its two largest units: `23 h 5 min`, `4 min`, `850 ms`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < MINUTE_MS)
    return `${ms < 9.95 * SECOND_MS ? (ms / SECOND_MS).toFixed(1) : Math.min(59, Math.round(ms / SECOND_MS))} s`;
  const [large, small, largeName, smallName] =
    ms < HOUR_MS
      ? [MINUTE_MS, SECOND_MS, 'min', 's']
      : ms < 2 * DAY_MS
        ? [HOUR_MS, MINUTE_MS, 'h', 'min']
        : [DAY_MS, HOUR_MS, 'd', 'h'];
  const whole = Math.floor(ms / large);
  const rest = Math.floor((ms - whole * large) / small);
  return rest === 0 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`;
}

const EXACT_BELOW_MS = 2 * HOUR_MS;
const ROUNDED_TO_MS = 5 * MINUTE_MS;

/** How much time is left, for people: to five minutes as long as it is hours (`24 h`, and not `23 h 59 min`), then exactly. */
export function formatTimeLeft(ms: number): string {
  return formatDuration(ms < EXACT_BELOW_MS ? ms : Math.round(ms / ROUNDED_TO_MS) * ROUNDED_TO_MS);
}

/** A moment for people, in UTC to the minute: `2026-11-21 19:05 UTC`. */
export function formatMoment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `1 file`, `3 files`. The plural is regular unless given. */
export function count(n: number, singular: string, plural = `${singular}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? singular : plural}`;
}

/** `INBOX, Junk and Archive` */
export function listed(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), words.at(-1)].filter((part) => part !== '').join(' and ');
}
