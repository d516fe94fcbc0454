import * as z from 'zod';
import { programBeside } from '../../lib/program-beside.ts';
import { type ApartOptions, runApart } from '../apart.ts';
import { GENERATIONS } from './generation.ts';

const count = z.int().min(0);
const messages = z.object({
  unchanged: count,
  changed: count,
  added: count,
  gone: count,
  noLongerCarried: count,
  carriedAgain: count,
});
const change = z.object({ id: z.string(), title: z.string().optional(), messages });
const changed = change.extend({ renamed: z.boolean(), archived: z.enum(['archived', 'unarchived']).optional() });
const someOf = <T extends z.ZodType>(one: T) => z.object({ count, listed: z.array(one) });

/** The answer of the other side: undefined where one of the files is no inventory. */
const comparedSchema = z.object({
  compared: z
    .object({
      conversations: z.object({
        added: someOf(change),
        changed: someOf(changed),
        gone: someOf(change),
        noLongerCarried: someOf(change),
        unchanged: count,
      }),
      messages,
      assets: z.object({ added: count, gone: count, noLongerCarried: count }),
      formatChange: z.object({ from: z.enum(GENERATIONS), to: z.enum(GENERATIONS) }).optional(),
      unread: count,
    })
    .optional(),
});

/**
 * A comparison as `compareInventories` makes it, with all conversations counted and some thousands of each kind listed,
 * and files counted alone.
 */
export type ComparedApart = NonNullable<z.output<typeof comparedSchema>['compared']>;

/**
 * Compares two exports by the files of their inventories (see `readInventory`), in a process of its own: reading those
 * of large exports takes seconds. Undefined where one of the files is no inventory of this form.
 *
 * @throws what {@link runApart} throws
 */
export async function compareInventoriesApart(
  older: string,
  newer: string,
  { signal }: Pick<ApartOptions, 'signal'>,
): Promise<ComparedApart | undefined> {
  const program = programBeside(import.meta.url, './compare-process');
  return comparedSchema.parse(await runApart(program, [older, newer], { read: [older, newer] }, { signal })).compared;
}
