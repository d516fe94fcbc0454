import { sha256 } from '../lib/hash.ts';
import type { SnapshotPlace } from '../snapshot/index.ts';

/** What stands behind the `?` of an address; undefined is left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** `?a=1&b=2`; empty where there is nothing to say. */
export function queryOf(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

const PLAIN_ID = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$/;
/** Longer ones do not fit into an address. */
const LONGEST_ID_CHARACTERS = 1_000;
/** Begins what is a name in base64url, because it may hold any character. */
const ENCODED = '~';

/** What of a conversation is in its address. */
export interface Addressed {
  readonly account: string;
  readonly id: string;
  /** The catalog's; only for an id that no address holds. */
  readonly number: number;
}

/** Where a conversation is read: by account and id, which last, unlike the catalog's number. */
export function conversationAddress({ account, id, number }: Addressed, query: Query = {}): string {
  const place = id.length > LONGEST_ID_CHARACTERS ? `${number}` : `${encodeURIComponent(account)}/${idInAddress(id)}`;
  return `/conversations/${place}${queryOf(query)}`;
}

function idInAddress(id: string): string {
  return PLAIN_ID.test(id) ? id : `${ENCODED}${Buffer.from(id).toString('base64url')}`;
}

/** The id that an address names; the reverse of {@link conversationAddress}. */
export function idOfAddress(name: string): string {
  return name.startsWith(ENCODED) ? Buffer.from(name.slice(1), 'base64url').toString() : name;
}

/** Where a snapshot's pages are; `rest` begins with a slash. */
export function snapshotAddress({ account, name }: Pick<SnapshotPlace, 'account' | 'name'>, rest = ''): string {
  return `/snapshots/${encodeURIComponent(account)}/${encodeURIComponent(name)}${rest}`;
}

/** Where the snapshots of an account are listed. */
export function accountAddress(account: string, page = 1): string {
  return `/snapshots${queryOf({ account, page: page === 1 ? undefined : page })}`;
}

/** Where a file of a snapshot is served. */
export function fileAddress(account: string, snapshot: string, path: string, query: Query = {}): string {
  const inside = path.split('/').map(encodeURIComponent).join('/');
  return `${snapshotAddress({ account, name: snapshot }, `/files/${inside}`)}${queryOf(query)}`;
}

const PLAIN_ANCHOR = /^[\w-]{1,100}$/;

/** The anchor of a message in its page. */
export function anchorOf(message: string): string {
  return `m-${PLAIN_ANCHOR.test(message) ? message : sha256(message).slice(0, 16)}`;
}
