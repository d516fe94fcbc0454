import type { z } from 'zod';
import type { ToolEnd } from './run-tool.ts';

/** What a line of JSON says, if it is one that the schema knows. */
export function parseLine<T>(line: string, schema: z.ZodType<T>): T | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

const SEVERAL_SECONDS_OF_READING = 300;

/** What a program said last of what went wrong, as one sentence; empty if it said nothing. */
export function sentenceOf({ errors }: ToolEnd): string {
  const spoken = errors.map(messageOf).filter((line) => line.trim() !== '');
  const line = spoken.findLast((each) => /fatal|error|failed/i.test(each)) ?? spoken.at(-1);
  if (line === undefined) return '';
  const short = line
    .replace(/^\d{4}(\/\d\d){2} [\d:]+ /, '')
    .trim()
    .slice(0, SEVERAL_SECONDS_OF_READING);
  return `It says: ${short}${/[.!?]$/.test(short) ? '' : '.'}`;
}

/** Of a line of rclone's JSON log, the message; any other line as it is. */
function messageOf(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && 'msg' in parsed && typeof parsed.msg === 'string') {
      return 'level' in parsed && parsed.level !== 'error' ? '' : parsed.msg;
    }
    return '';
  } catch {
    return line;
  }
}
