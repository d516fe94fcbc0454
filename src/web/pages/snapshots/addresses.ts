import type { SnapshotPlace } from '../../../snapshot/index.ts';

/** Where a snapshot's pages are; `rest` begins with a slash. */
export function snapshotAddress({ account, name }: Pick<SnapshotPlace, 'account' | 'name'>, rest = ''): string {
  return `/snapshots/${encodeURIComponent(account)}/${encodeURIComponent(name)}${rest}`;
}

/** Where the snapshots of an account are listed. */
export function accountAddress(account: string, page = 1): string {
  return `/snapshots?account=${encodeURIComponent(account)}${page === 1 ? '' : `&page=${page}`}`;
}
