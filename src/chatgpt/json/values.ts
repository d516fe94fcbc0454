/**
 * Narrow readers of what JSON.parse gives: each takes whatever is there and gives it back if it is of its kind, else
 * undefined (or an empty list). An export's schema changes without notice, so nothing but the one value is ever rejected.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether it is an object; arrays are none. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** An array; an empty one for anything else. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text that is not empty. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** 3000-01-01: times are Unix seconds; what comes after this is milliseconds, or nonsense. */
const LATEST_SECONDS = 32_503_680_000;

/** A moment, in ms UTC, of Unix seconds with a fraction, or of an ISO 8601 text. */
export function asMoment(value: unknown): number | undefined {
  if (typeof value === 'string') {
    const ms = Date.parse(value);
    return Number.isNaN(ms) ? undefined : ms;
  }
  const seconds = asNumber(value);
  if (seconds === undefined || seconds <= 0 || seconds > LATEST_SECONDS) return undefined;
  return Math.round(seconds * 1000);
}

/** Whether a flag is set: null is not; undefined where there is no such key, or something that is no flag. */
export function asFlag(object: JsonObject, key: string): boolean | undefined {
  const value = object[key];
  return typeof value === 'boolean' ? value : value === null ? false : undefined;
}
