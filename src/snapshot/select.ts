import { ChatkeepError } from '../lib/errors.ts';
import { compareNames, type DamagedSnapshot, type SnapshotList } from './list.ts';
import { LATEST } from './names.ts';
import type { SnapshotInfo, SnapshotPlace } from './place.ts';

/** Enough to choose from; the rest is in `chatkeep snapshots`. */
const CANDIDATES_NAMED = 5;

/** Every snapshot, the damaged ones too, the newest export last. */
export function allSnapshots({ snapshots, damaged }: SnapshotList): (SnapshotInfo | DamagedSnapshot)[] {
  return [...snapshots, ...damaged].sort((a, b) => compareNames(a.name, b.name) || (a.account < b.account ? -1 : 1));
}

/**
 * The snapshots that a person means: by id (`ann@example.org/2026-11-21T190533Z`), by account (all of it), by name, as
 * `latest` or `<account>/latest`, or by the beginning of an id or a name where that is the only one.
 *
 * @throws ChatkeepError `not-found` where there is none, or more than one that begins so
 */
export function selectSnapshots(list: SnapshotList, wanted: string): SnapshotPlace[] {
  const all = allSnapshots(list);
  const named = all.filter(({ id, account, name }) => [id, account, name].includes(wanted));
  if (named.length > 0) return named;
  const latest = all.findLast(({ account }) => wanted === LATEST || wanted === `${account}/${LATEST}`);
  if (latest !== undefined) return [latest];
  const beginning = all.filter(({ id, name }) => wanted !== '' && (id.startsWith(wanted) || name.startsWith(wanted)));
  if (beginning.length === 1) return beginning;
  if (beginning.length === 0) throw new ChatkeepError('not-found', `There is no snapshot "${wanted}".`);
  throw ambiguous(wanted, beginning);
}

/**
 * The one snapshot that a person means; see {@link selectSnapshots}.
 * @throws ChatkeepError `not-found` where there is none, or more than one
 */
export function selectSnapshot(list: SnapshotList, wanted: string): SnapshotPlace {
  const selected = selectSnapshots(list, wanted);
  const [only] = selected;
  if (only === undefined || selected.length > 1) throw ambiguous(wanted, selected);
  return only;
}

function ambiguous(wanted: string, candidates: readonly SnapshotPlace[]): ChatkeepError {
  const ids = candidates.slice(-CANDIDATES_NAMED).map(({ id }) => id);
  return new ChatkeepError(
    'not-found',
    `"${wanted}" may be any of ${candidates.length} snapshots: ${candidates.length > ids.length ? '…, ' : ''}${ids.join(', ')}.`,
    { next: 'Give more of the name.' },
  );
}
