import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Copy, findCopies, findSound, identityOf } from './copies.ts';
import { compareNames, type SnapshotList } from './list.ts';
import { LATEST } from './names.ts';
import type { SnapshotPlace } from './place.ts';
import { allSnapshots } from './select.ts';
import { type ReadFiles, type VerifyOptions, type VerifyProblem, type VerifyReport, verifySnapshot } from './verify.ts';

/** A problem, and what the other snapshots have to do with it. */
export interface TracedProblem extends VerifyProblem {
  /** Ids of the snapshots whose file is the same one on the disk, and damaged with it. */
  readonly sharedWith: readonly string[];
  /** A file of another snapshot (absolute) that was read and holds what this one should. */
  readonly soundCopy: string | undefined;
}

export interface SnapshotReport extends VerifyReport {
  readonly snapshot: SnapshotPlace;
  readonly problems: readonly TracedProblem[];
}

export type VerifyAllOptions = Omit<VerifyOptions, 'onProgress' | 'read'> & {
  readonly onProgress?: (snapshot: SnapshotPlace, bytesDone: number, bytesTotal: number | undefined) => void;
};

/**
 * Verifies snapshots one after the other (see {@link verifySnapshot}), and traces what is wrong through all that there
 * are: whose file it is, too, and where a sound copy is. A file that several of them share is read once.
 *
 * @throws the signal's reason
 */
export async function* verifySnapshots(
  chosen: readonly SnapshotPlace[],
  list: SnapshotList,
  { onProgress, ...options }: VerifyAllOptions = {},
): AsyncGenerator<SnapshotReport> {
  const read: ReadFiles = new Map();
  for (const snapshot of chosen) {
    const report = await verifySnapshot(snapshot, {
      ...options,
      read,
      onProgress: (done, total) => onProgress?.(snapshot, done, total),
    });
    yield { ...report, snapshot, problems: await trace(snapshot, report.problems, list, options.signal) };
  }
}

async function trace(
  snapshot: SnapshotPlace,
  problems: readonly VerifyProblem[],
  list: SnapshotList,
  signal: AbortSignal | undefined,
): Promise<TracedProblem[]> {
  const wanted = new Set(problems.flatMap(({ sha256 }) => sha256 ?? []));
  const copies = await findCopies(wanted, allSnapshots(list));
  const traced: TracedProblem[] = [];
  for (const problem of problems) {
    const own = join(snapshot.path, problem.path);
    const identity = await identityOf(own);
    const others = copies.get(problem.sha256 ?? '')?.filter(({ file }) => file !== own) ?? [];
    const sound = await findSound(others, problem.sha256 ?? '', identity, signal);
    traced.push({
      ...problem,
      sharedWith: identity === undefined ? [] : await sharing(others, identity, snapshot),
      soundCopy: sound?.file,
    });
  }
  return traced;
}

async function sharing(copies: readonly Copy[], identity: string, own: SnapshotPlace): Promise<string[]> {
  const ids = new Set<string>();
  for (const { snapshot, file } of copies) {
    if (snapshot.id !== own.id && (await identityOf(file)) === identity) ids.add(snapshot.id);
  }
  return [...ids];
}

/** A `latest` that does not lead to the newest snapshot of its account. */
export interface LatestProblem {
  /** Absolute. */
  readonly path: string;
  /** A sentence for the user. */
  readonly detail: string;
}

/** Looks where `latest` of each account leads. One that is missing is fine: not every file system has links. */
export async function checkLatest(list: SnapshotList): Promise<LatestProblem[]> {
  const problems: LatestProblem[] = [];
  for (const [account, snapshots] of Map.groupBy(allSnapshots(list), (snapshot) => snapshot.account)) {
    const newest = snapshots.toSorted((a, b) => compareNames(a.name, b.name)).at(-1);
    if (newest === undefined) continue;
    const path = join(newest.path, '..', LATEST);
    const target = await linkTarget(path);
    if (target === undefined || target === newest.name) continue;
    const isThere = await lstat(join(newest.path, '..', target)).then(
      () => true,
      () => false,
    );
    const where = isThere ? `to ${target}, and the newest is ${newest.name}` : `nowhere: there is no ${target}`;
    problems.push({ path, detail: `${account}/${LATEST} leads ${where}. It is set anew when the service starts.` });
  }
  return problems;
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch {
    return undefined;
  }
}
