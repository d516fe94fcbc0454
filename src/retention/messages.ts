import { count, formatBytes } from '../lib/text.ts';
import type { Message } from '../notify/index.ts';

export interface PruneFacts {
  readonly freedBytes: number;
  /** How many snapshots the rules would let go, and were kept for what is found nowhere else. */
  readonly unique: number;
}

const SNAPSHOTS_NAMED = 10;

/**
 * What people are told of snapshots that were deleted.
 * @param gone their ids; at least one
 */
export function pruned(gone: readonly string[], { freedBytes, unique }: PruneFacts, now: number): Message {
  const named = gone.slice(0, SNAPSHOTS_NAMED);
  const more = gone.length > named.length ? `, and ${gone.length - named.length} more` : '';
  return {
    event: 'pruned',
    level: 'info',
    title: `${count(gone.length, 'old snapshot was', 'old snapshots were')} deleted`,
    body: [
      `As the rules under \`keep\` ask, Chatkeep has deleted ${named.join(', ')}${more}. Everything that was in there is in snapshots that stay. ${formatBytes(freedBytes)} are free now.`,
      ...(unique === 0
        ? []
        : [
            `${count(unique, 'snapshot that the rules would let go holds', 'snapshots that the rules would let go hold')} what is found nowhere else, and ${unique === 1 ? 'was' : 'were'} kept.`,
          ]),
      'Nothing is left to do; `chatkeep prune` shows why each snapshot is kept.',
    ].join('\n'),
    at: now,
    data: { snapshots: gone.length, freedBytes, keptAsUnique: unique },
  };
}
