import * as z from 'zod';
import { askApart } from '../lib/apart.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { lockDirectory } from '../lib/lock.ts';
import { programBeside } from '../lib/program-beside.ts';
import type { IndexReport } from './indexing/indexer.ts';
import type { CatalogSource } from './source.ts';

/** A conversation at the edge of the budget needs most of it; otherwise it takes a quarter. */
export const HEAP_MEGABYTES = 1024;

const count = z.int().min(0);
const progressSchema = z.object({ progress: z.object({ done: z.number(), total: z.number() }) });
const answerSchema = z.union([
  z.object({
    report: z.object({
      snapshots: count,
      conversations: z.object({ found: count, known: count, indexed: count, unread: count }),
      messages: z.object({ found: count, indexed: count, unread: count }),
      bytes: count,
    }),
  }),
  z.object({ error: z.string() }),
]);

export interface UpdateOptions {
  readonly signal: AbortSignal;
  /** Makes it anew, from nothing. */
  readonly rebuild?: boolean;
  /** In bytes of conversations. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Brings the catalog in a directory up to the snapshots that there are, in a process of its own and with low priority:
 * neither the service nor a reader waits for it. Stopped anywhere, the next call goes on from there.
 *
 * @throws ChatkeepError `in-use` while another process does the same, `storage` if the directory cannot be written;
 *   Error if it could not be done; the signal's reason
 */
export async function updateCatalog(
  directory: string,
  sources: readonly CatalogSource[],
  { signal, rebuild = false, onProgress }: UpdateOptions,
): Promise<IndexReport> {
  using _lock = await lockDirectory(directory, 'catalog');
  const file = programBeside(import.meta.url, './process');
  const answer = answerSchema.parse(
    await askApart({
      file,
      heapMegabytes: HEAP_MEGABYTES,
      signal,
      question: { directory, rebuild, sources },
      isAnswer: (message) => {
        const parsed = progressSchema.safeParse(message);
        if (parsed.success) onProgress?.(parsed.data.progress.done, parsed.data.progress.total);
        return !parsed.success;
      },
    }),
  );
  if ('report' in answer) return answer.report;
  throw new ChatkeepError('storage', `The catalog ${directory} could not be brought up to date: ${answer.error}.`, {
    next: 'Run `chatkeep catalog rebuild`: it makes the catalog anew. The snapshots are not touched.',
  });
}
