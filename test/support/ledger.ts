/**
 * A reporter of node:test beside the one that people read: writes what `test/main.ts` decides by, a line of JSON for each
 * test file in which something failed, and one for the coverage of the whole run.
 */
import type { TestEvent } from 'node:test/reporters';
import { z } from 'zod';

const entrySchema = z.union([
  /** Absolute. */
  z.object({ failedFile: z.string() }),
  /** Of lines, in percent. */
  z.object({ lineCoverage: z.number() }),
]);
type Entry = z.output<typeof entrySchema>;

/** What a run came to. */
export interface Ledger {
  /** Absolute paths, each once. */
  readonly failedFiles: readonly string[];
  /** Of lines, in percent; undefined where it was not counted. */
  readonly lineCoverage: number | undefined;
}

/** The reporter itself. */
export default async function* ledger(events: AsyncIterable<TestEvent>): AsyncGenerator<string, void> {
  for await (const event of events) {
    const entry = entryOf(event);
    if (entry !== undefined) yield `${JSON.stringify(entry)}\n`;
  }
}

function entryOf({ type, data }: TestEvent): Entry | undefined {
  if (type === 'test:coverage') return { lineCoverage: data.summary.totals.coveredLinePercent };
  return type === 'test:fail' && data.file !== undefined ? { failedFile: data.file } : undefined;
}

/** Reads what the reporter has written. */
export function readLedger(text: string): Ledger {
  const entries = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => entrySchema.parse(JSON.parse(line)));
  const failedFiles = entries.flatMap((entry) => ('failedFile' in entry ? [entry.failedFile] : []));
  const lineCoverage = entries.flatMap((entry) => ('lineCoverage' in entry ? [entry.lineCoverage] : [])).at(-1);
  return { failedFiles: [...new Set(failedFiles)], lineCoverage };
}
