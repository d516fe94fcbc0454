import type { Catalog } from '../catalog/index.ts';
import type { ComparedApart } from '../chatgpt/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { SnapshotPlace } from '../snapshot/index.ts';

/** What is wrong, and what a person can do about it. */
export interface ProblemView {
  readonly what: string;
  /** The second half of a sentence: `What to do: …`. */
  readonly fix: string;
}

/** A line about one of several things of a kind. */
export interface NamedLine {
  readonly name: string;
  readonly text: string;
}

/** An export on its way, or one that has arrived. */
export interface CaptureView {
  readonly id: string;
  readonly state:
    | 'found'
    | 'downloading'
    | 'waiting'
    | 'needs-login'
    | 'unpacking'
    | 'committed'
    | 'duplicate'
    | 'unchanged'
    | 'refused'
    | 'expired';
  readonly text: string;
  /** The snapshot that has it, ACCOUNT/NAME, once there is one. */
  readonly snapshot: string | undefined;
  /** When its link dies, ms UTC; undefined where nothing depends on it. */
  readonly deadline: number | undefined;
  /** In bytes, while it is worked on. */
  readonly work: { readonly done: number; readonly total: number | undefined } | undefined;
  /** It goes on once somebody hands its ZIP in, or renews the login. */
  readonly needsPerson: boolean;
}

/** How things are, in words. Lists are in the order in which they are to be told. */
export interface StatusView {
  readonly isWell: boolean;
  readonly problems: readonly ProblemView[];
  readonly open: readonly CaptureView[];
  readonly awaited: readonly string[];
  readonly ended: readonly CaptureView[];
  readonly mailboxes: readonly NamedLine[];
  readonly logins: readonly NamedLine[];
  readonly snapshots: string;
  readonly accounts: readonly NamedLine[];
  readonly verified: string | undefined;
  readonly offsite: readonly NamedLine[];
  readonly disks: readonly NamedLine[];
  readonly undelivered: string | undefined;
  readonly reminders: readonly string[];
}

/** Where ZIP files go that come in over the page. */
export interface UploadDesk {
  /** For one more, in bytes. */
  freeBytes(): Promise<number>;
  /**
   * Receives a file, and gives the id of the capture that it became.
   * @throws ChatkeepError with the reason if it is not taken; what `bytes` throws when it breaks off
   */
  take(upload: {
    readonly name: string;
    readonly bytes: AsyncIterable<Uint8Array>;
    readonly length: number | undefined;
  }): Promise<string>;
}

/** What the pages are made of; the service hands it in. */
export interface WebSources {
  /** Where snapshots lie. */
  readonly backupDir: string;
  /** Where the search index lies, for what reads it in a process or a thread of its own. */
  readonly catalogDirectory: string;
  /** The search index as it is now; undefined where there is none yet. It belongs to whoever hands it in. */
  readonly catalog: () => Catalog | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Compares two snapshots; undefined where one of them is too damaged for anything to be said. */
  readonly compare: (
    older: SnapshotPlace,
    newer: SnapshotPlace,
    signal: AbortSignal,
  ) => Promise<ComparedApart | undefined>;
  readonly status: () => Promise<StatusView>;
  /** The captures of these ids, as far as there are such; without ids those that are open. */
  readonly captures: (ids?: readonly string[]) => Promise<readonly CaptureView[]>;
  readonly uploads: UploadDesk;
  /** Aborts when the service stops: what goes on behind the pages ends then. */
  readonly signal: AbortSignal;
}
