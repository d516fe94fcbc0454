import * as z from 'zod';
import { ChatkeepError } from './errors.ts';

const marked = z.object({ format: z.number() });

/**
 * Refuses what a newer Chatkeep has written: read as if it were our own, it would be misunderstood, and then written over.
 *
 * @param value what the file holds, parsed: an object with the number `format`; anything else passes
 * @param what the file's name in a sentence: "record of the logins"
 * @param loss what is lost if the file is moved away
 * @throws ChatkeepError `storage`
 */
export function refuseNewerFormat(
  value: unknown,
  { known, what, path, loss }: { known: number; what: string; path: string; loss: string },
): void {
  const format = marked.safeParse(value).data?.format ?? 0;
  if (format <= known) return;
  throw new ChatkeepError(
    'storage',
    `The ${what} ${path} was written by a newer Chatkeep (format ${format}; this one reads up to ${known}).`,
    { next: `Use the newer Chatkeep, or move the file away: ${loss}.` },
  );
}
