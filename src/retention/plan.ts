import { join } from 'node:path';
import { parseSnapshotName, type SnapshotInfo, type SnapshotPlace } from '../snapshot/index.ts';
import type { Contents } from './contents.ts';
import { type KeepPolicy, reasonsToKeep } from './policy.ts';
import { formatUnique, Remainder, type Unique } from './unique.ts';

/** What becomes of a snapshot, and why. */
export type Decision =
  | {
      readonly snapshot: SnapshotPlace;
      readonly kind: 'keep';
      readonly reasons: readonly string[];
      readonly unique?: Unique;
    }
  | {
      readonly snapshot: SnapshotPlace;
      readonly kind: 'go';
      readonly reason: string;
      /** What is lost with it; only where that was insisted on. */
      readonly lost?: Unique;
    };

/** What is known of snapshots' contents: as it was written down, or as it was just read from the disk. */
export interface Witness {
  /** Undefined where nothing can be said of it, or its conversations are not sound. */
  contentsOf(snapshot: SnapshotPlace): Promise<Contents | undefined>;
  /** Whether `file`, of another snapshot, holds what `own` should (64 hex digits). Both are absolute. */
  holds(file: string, content: string, own: string): Promise<boolean>;
}

export interface PlanOptions {
  readonly policy: KeepPolicy;
  readonly witness: Witness;
  /** Lets go what the policy lets go, even where something is lost with it. */
  readonly evenIfUnique?: boolean;
}

/**
 * Decides which of an account's snapshots may go: those that the policy lets go, and whose every conversation, message
 * and file is in one that stays. They go one after the other, the oldest first, each compared with what is left then, so
 * that two snapshots that hold something only together never go both.
 *
 * @param snapshots of one account, oldest first
 * @throws what the witness throws
 */
export async function planPrune(
  snapshots: readonly Pick<SnapshotInfo, 'id' | 'account' | 'name' | 'path'>[],
  { policy, witness, evenIfUnique = false }: PlanOptions,
): Promise<Decision[]> {
  const times = snapshots.map(({ name }) => parseSnapshotName(name)?.time ?? 0);
  const reasons = reasonsToKeep(times.toReversed(), policy).toReversed();
  const remaining = new Set<SnapshotPlace>(snapshots);
  const decisions: Decision[] = [];
  for (const [index, snapshot] of snapshots.entries()) {
    const own = reasons[index] ?? [];
    const decision: Decision =
      own.length > 0
        ? { snapshot, kind: 'keep', reasons: own }
        : await judge(snapshot, nearestFirst(snapshots, index, remaining), witness, evenIfUnique);
    if (decision.kind === 'go') remaining.delete(snapshot);
    decisions.push(decision);
  }
  return decisions;
}

async function judge(
  snapshot: SnapshotPlace,
  others: readonly SnapshotPlace[],
  witness: Witness,
  evenIfUnique: boolean,
): Promise<Decision> {
  const contents = await witness.contentsOf(snapshot);
  if (contents === undefined || contents.unread !== undefined) {
    const reason = contents?.unread ?? 'it is damaged, or what is in it could not be read';
    if (evenIfUnique) return { snapshot, kind: 'go', reason: `insisted on; ${reason}` };
    return { snapshot, kind: 'keep', reasons: [reason] };
  }
  const remainder = new Remainder(contents);
  for (const other of others) {
    if (remainder.isEmpty) break;
    const known = await witness.contentsOf(other);
    if (known === undefined) continue;
    remainder.subtractConversations(known.conversations);
    for (const [content, own] of [...remainder.files]) {
      const path = known.files.get(content);
      if (path === undefined) continue;
      if (await witness.holds(join(other.path, path), content, join(snapshot.path, own)))
        remainder.subtractFile(content);
    }
  }
  if (remainder.isEmpty) return { snapshot, kind: 'go', reason: 'everything in it is in snapshots that stay' };
  const unique = await remainder.count(snapshot.path);
  if (evenIfUnique)
    return {
      snapshot,
      kind: 'go',
      reason: `insisted on; lost with it: ${formatUnique(unique)}`,
      lost: unique,
    };
  return { snapshot, kind: 'keep', reasons: [`holds ${formatUnique(unique)} found nowhere else`], unique };
}

/** The next newer one is the most likely to hold the same. */
function nearestFirst(
  snapshots: readonly SnapshotPlace[],
  index: number,
  remaining: ReadonlySet<SnapshotPlace>,
): SnapshotPlace[] {
  return [...snapshots.slice(index + 1), ...snapshots.slice(0, index).toReversed()].filter((other) =>
    remaining.has(other),
  );
}
