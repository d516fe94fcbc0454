import type { SQLOutputValue } from 'node:sqlite';

/** What SQLite gives: narrow readers of the columns of our own tables. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

export function numberOf(value: SQLOutputValue | undefined): number {
  return Number(value ?? 0);
}

export function numberOrNone(value: SQLOutputValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

export function textOf(value: SQLOutputValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function textOrNone(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function flagOrNone(value: SQLOutputValue | undefined): boolean | undefined {
  return value === null || value === undefined ? undefined : value === 1;
}
