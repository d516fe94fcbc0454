import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../lib/logger.ts';
import { type BackupDirectory, listSnapshots, readSumsOf, type SnapshotPlace } from '../snapshot/index.ts';
import { ContentReader } from './contents.ts';
import { type Decision, planPrune, type Witness } from './plan.ts';
import type { KeepPolicy } from './policy.ts';
import { readingWitness, writtenWitness } from './witness.ts';

export interface PruneOptions {
  readonly policy: KeepPolicy;
  readonly stateDir: string;
  /** Only this account's snapshots; else each account's, one after the other. */
  readonly account?: string | undefined;
  readonly evenIfUnique?: boolean;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called before a snapshot is read, which takes its time. */
  readonly onReading?: ((snapshot: SnapshotPlace) => void) | undefined;
}

export interface PrunePlan {
  /** Of each account, the oldest first. Damaged snapshots are kept, and are not in it. */
  readonly decisions: readonly Decision[];
  /** What is free on the disk once that is done: what the snapshots share with others that stay is not counted. */
  readonly freedBytes: number;
}

/**
 * What a prune would do. Nothing is deleted, and the contents of snapshots are believed to be what they were.
 * @throws ChatkeepError `not-found`, `storage`; the signal's reason
 */
export async function planPruneOf(backups: string, options: PruneOptions): Promise<PrunePlan> {
  const reader = new ContentReader(options);
  return decide(backups, options, writtenWitness(reader));
}

/**
 * Deletes what the policy lets go and what is held by the snapshots that stay, which are read and found sound before.
 * Broken off at any point, what was decided so far is done, or not begun; the rest is decided anew the next time.
 *
 * @throws ChatkeepError `storage`; the signal's reason
 */
export async function prune(directory: BackupDirectory, options: PruneOptions): Promise<PrunePlan> {
  const reader = new ContentReader(options);
  const plan = await decide(directory.path, options, readingWitness(reader, options.signal));
  for (const { kind, snapshot } of plan.decisions) {
    options.signal.throwIfAborted();
    if (kind === 'go') await directory.remove(snapshot);
  }
  await reader.forgetBut((await listSnapshots(directory.path)).snapshots);
  return plan;
}

async function decide(
  backups: string,
  { policy, account, evenIfUnique = false }: PruneOptions,
  witness: Witness,
): Promise<PrunePlan> {
  const { snapshots } = await listSnapshots(backups);
  const chosen = snapshots.filter((snapshot) => account === undefined || snapshot.account === account);
  const decisions: Decision[] = [];
  for (const ofAccount of Map.groupBy(chosen, (snapshot) => snapshot.account).values())
    decisions.push(...(await planPrune(ofAccount, { policy, witness, evenIfUnique })));
  const going = decisions.filter(({ kind }) => kind === 'go').map(({ snapshot }) => snapshot);
  return { decisions, freedBytes: await freedBy(going) };
}

/** A file is gone with its last name. */
async function freedBy(going: readonly SnapshotPlace[]): Promise<number> {
  const namesLeft = new Map<string, bigint>();
  let bytes = 0n;
  for (const { path: root } of going) {
    for (const { path } of await readSumsOf(root)) {
      const stats = await lstat(join(root, path), { bigint: true }).catch(() => undefined);
      if (stats === undefined) continue;
      const identity = `${stats.dev}:${stats.ino}`;
      const left = (namesLeft.get(identity) ?? stats.nlink) - 1n;
      namesLeft.set(identity, left);
      if (left === 0n) bytes += stats.size;
    }
  }
  return Number(bytes);
}
