import { type AccountInformation, findAccount } from '../../../chatgpt/index.ts';
import { mapConcurrently } from '../../../lib/concurrency.ts';
import { readSumsOf, type SnapshotPlace } from '../../../snapshot/index.ts';

const READ_AT_A_TIME = 8;
const REMEMBERED = 2000;

/** What the exports of an account say of it; each is read once, since snapshots never change. */
export class AccountHistory {
  readonly #known = new Map<string, AccountInformation | undefined>();

  /** In the order of the snapshots. */
  read(snapshots: readonly SnapshotPlace[], signal: AbortSignal): Promise<(AccountInformation | undefined)[]> {
    return mapConcurrently(snapshots, READ_AT_A_TIME, signal, ({ path }) => this.#readOne(path));
  }

  async #readOne(path: string): Promise<AccountInformation | undefined> {
    if (this.#known.has(path)) return this.#known.get(path);
    let account: AccountInformation | undefined;
    try {
      account = (await findAccount(path, [{ path: 'user.json' }])) ?? (await findAccount(path, await readSumsOf(path)));
    } catch {
      // What cannot be read today may be read tomorrow; the other snapshots are shown meanwhile.
      return undefined;
    }
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(path, account);
    return account;
  }
}

export type AccountFact = 'email' | 'phone' | 'plus' | 'birthYear';

/** Something that is not what it was in the snapshot before. */
export interface AccountChange {
  readonly snapshot: SnapshotPlace;
  readonly fact: AccountFact;
  readonly before: string | number | boolean | undefined;
  readonly after: string | number | boolean | undefined;
}

const FACTS: readonly AccountFact[] = ['email', 'phone', 'plus', 'birthYear'];

/** What changed from one snapshot to the next, the newest first. What an export does not say is no change. */
export function changesOf(
  snapshots: readonly SnapshotPlace[],
  history: readonly (AccountInformation | undefined)[],
): AccountChange[] {
  const known: Partial<Record<AccountFact, string | number | boolean>> = {};
  const changes: AccountChange[] = [];
  for (const [index, snapshot] of snapshots.entries()) {
    for (const fact of FACTS) {
      const after = history[index]?.[fact];
      if (after === undefined) continue;
      const before = known[fact];
      if (before !== undefined && before !== after) changes.push({ snapshot, fact, before, after });
      known[fact] = after;
    }
  }
  return changes.reverse();
}
