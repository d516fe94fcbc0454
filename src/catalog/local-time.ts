import { DAY_MS, MINUTE_MS } from '../lib/clock.ts';

/** Whether this machine knows a time zone of this name (IANA: `Europe/Berlin`, or `UTC`). */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The time on the walls of a zone, for many moments: the zone is asked twice a day, unless its clocks change on it. */
export class LocalTime {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  /** @throws RangeError for a zone that is not known */
  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  }

  /** A moment (ms UTC) as if the wall clock's time were UTC, in ms: for `getUTCHours` and the like. */
  wall(ms: number): number {
    const day = Math.floor(ms / DAY_MS) * DAY_MS;
    const atStart = this.#offsetAt(day);
    return ms + (atStart === this.#offsetAt(day + DAY_MS) ? atStart : this.#ask(ms));
  }

  #offsetAt(day: number): number {
    const known = this.#offsets.get(day) ?? this.#ask(day);
    this.#offsets.set(day, known);
    return known;
  }

  /** In ms; `GMT`, `GMT+05:30`. */
  #ask(ms: number): number {
    const name = this.#format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MINUTE_MS;
    return sign === '-' ? -offset : offset;
  }
}
