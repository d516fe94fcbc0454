import { join } from 'node:path';
import { readJson } from './json/read-json.ts';
import { isObject } from './json/values.ts';
import type { ExportLayout } from './layout/layout.ts';

/** A setting of the account, as the export names it. */
export interface AccountSetting {
  /** With the names of what it stands in: `settings.training_allowed`. */
  readonly name: string;
  readonly value: string;
}

const SETTINGS_FILE = 'user_settings.json';
const MOST_BYTES = 1024 * 1024;
const MOST_SETTINGS = 300;
const LONGEST_VALUE = 300;

/**
 * `user_settings.json`, whatever it holds: OpenAI documents none of it. Empty where there is no such file, or nothing in it
 * that is understood.
 *
 * @throws what the file system says
 */
export async function readSettings({ directory, files }: ExportLayout): Promise<AccountSetting[]> {
  const file = files.find(({ path }) => path === SETTINGS_FILE || path.endsWith(`/${SETTINGS_FILE}`));
  if (file === undefined) return [];
  const reading = await readJson(join(directory, file.path), MOST_BYTES);
  return reading.kind === 'read' ? [...settingsIn(reading.value, [])].slice(0, MOST_SETTINGS) : [];
}

const DEEPEST = 6;

function* settingsIn(value: unknown, names: readonly string[]): Generator<AccountSetting> {
  if (isObject(value) && names.length < DEEPEST) {
    for (const [name, inner] of Object.entries(value)) yield* settingsIn(inner, [...names, name]);
    return;
  }
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  yield { name: names.join('.'), value: text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text };
}
