import * as z from 'zod';
import type { ConversationFilter, SearchFilter } from '../catalog/index.ts';
import { ROLES } from '../chatgpt/index.ts';
import { DAY_MS } from '../lib/clock.ts';

const LONGEST = 1_000;
const text = z.string().trim().min(1).max(LONGEST).optional().catch(undefined);
const day = z.iso.date().optional().catch(undefined);

/** What an address of the list says; what is empty or makes no sense counts as not said. */
const schema = z.object({
  /** Of any length: the search tells what of it counts. */
  q: z.string().trim().min(1).optional().catch(undefined),
  account: text,
  title: text,
  from: day,
  to: day,
  model: text,
  state: z.enum(['present', 'deleted']).optional().catch(undefined),
  voice: z.enum(['yes', 'no']).optional().catch(undefined),
  role: z.enum(ROLES).optional().catch(undefined),
  order: z.enum(['newest']).optional().catch(undefined),
  page: z.string().optional().catch(undefined),
});

export type ListQuery = z.output<typeof schema>;

export function readListQuery(query: Readonly<Record<string, string>>): ListQuery {
  return schema.parse(query);
}

/** Days are in UTC, the last one as a whole. */
export function filterOf({ account, title, from, to, model, state, voice }: ListQuery): ConversationFilter {
  return {
    account,
    title,
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to) + DAY_MS - 1,
    model,
    deleted: state === undefined ? undefined : state === 'deleted',
    spoken: voice === undefined ? undefined : voice === 'yes',
  };
}

/** Whether a filter leaves anything out. */
export function isNarrowed(filter: SearchFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

export function searchFilterOf(query: ListQuery): SearchFilter {
  return { ...filterOf(query), role: query.role };
}
