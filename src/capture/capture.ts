import { randomBytes } from 'node:crypto';
import type { Secret } from '../lib/secret.ts';

/**
 * The durable piece of work that turns one export into one snapshot. It is plain data: what happens to it is decided in
 * transitions.ts, done by the conductor and kept by the journal.
 */
export interface Capture {
  readonly id: string;
  /** The ZIP's name without `.zip`; unknown for a file that was renamed. */
  readonly exportId: string | undefined;
  readonly origin: CaptureOrigin;
  /** When the export was made, ms UTC; undefined until the archive was looked into. */
  readonly exportTime: number | undefined;
  /** The directory below the backup directory that the configuration asks for. */
  readonly account: string | undefined;
  readonly foundAt: number;
  /** How often an archive of this capture turned out to be damaged. */
  readonly damagedArchives: number;
  /** How long it waited for a person so far, who signs in or makes room, ms. */
  readonly waitedMs: number;
  /** What holds it up at present. */
  readonly trouble: Trouble | undefined;
  /** When people were last told of trouble of a kind, ms UTC: one that comes back soon is not told at once again. */
  readonly told: Readonly<Partial<Record<TroubleKind, number>>>;
  readonly state: CaptureState;
}

/**
 * `login`: the server wants a signed-in user; `download`: it brings nothing; `storage`: the disk; `failure`: an error of
 * our own.
 */
export type TroubleKind = 'login' | 'download' | 'storage' | 'failure';

export interface Trouble {
  readonly kind: TroubleKind;
  /** ms UTC */
  readonly since: number;
  /** How often it was tried in vain since then. */
  readonly attempts: number;
  /** When the last of these attempts ended, ms UTC. */
  readonly lastAt: number;
  /** What came of the last attempt: sentences without secrets. */
  readonly detail: string;
  /** When people are to be told of it, for the first time or again, ms UTC; undefined: not any more. */
  readonly tellAt: number | undefined;
}

export type CaptureOrigin = NoticeOrigin | FileOrigin;

export interface NoticeOrigin {
  readonly kind: 'notice';
  readonly provider: string;
  readonly mailbox: string;
  readonly messageId: string | undefined;
  /** When the message reached the mailbox, ms UTC. */
  readonly receivedAt: number;
  /** How the sender was proved. */
  readonly proof: string;
  /** When the link dies, ms UTC. */
  readonly deadline: number;
  /** Forgotten (undefined) as soon as the capture has ended. */
  readonly link: Secret | undefined;
}

export interface FileOrigin {
  readonly kind: 'file';
  readonly name: string;
}

/** A whole archive on disk, and what becomes of the file once its content is safe. */
export interface Archive {
  readonly path: string;
  /** `delete`: our own download, or a file in the drop folder. `keep`: a file that the user named. */
  readonly afterwards: 'delete' | 'keep';
  /** Downloaded by us (a damaged one can be fetched again), or handed in. */
  readonly from: 'download' | 'user';
}

export type CaptureState = OpenState | EndState;

/** States in which something is still to be done. */
export type OpenState =
  | { readonly name: 'found' }
  | { readonly name: 'downloading'; readonly attempt: number }
  | {
      readonly name: 'waiting';
      /** When it is tried again, ms UTC. */
      readonly until: number;
      readonly attempt: number;
      /** A sentence, for `status` and messages. */
      readonly reason: string;
      readonly next: { readonly name: 'download' } | { readonly name: 'unpack'; readonly archive: Archive };
    }
  | {
      readonly name: 'needs-login';
      readonly since: number;
      /** When it is tried again even if no login has changed, ms UTC. */
      readonly until: number;
      readonly attempt: number;
      readonly reason: string;
      /** The logins as they were when they failed; another fingerprint is worth a try at once. */
      readonly logins: string;
    }
  | { readonly name: 'unpacking'; readonly archive: Archive; readonly attempt: number };

/** An archive that is still to be deleted: the file at `path`, as long as it is the one of this SHA-256 (64 hex digits). */
export interface Leftover {
  readonly path: string;
  readonly sha256: string;
}

/** States in which nothing is left but to tidy up. */
export type EndState =
  | {
      readonly name: 'committed';
      readonly at: number;
      readonly snapshot: string;
      readonly leftover: Leftover | undefined;
    }
  | { readonly name: 'duplicate'; readonly at: number; readonly of: string; readonly leftover: Leftover | undefined }
  /** The export holds the very files of the snapshot `since`, which it has left as it is. */
  | { readonly name: 'unchanged'; readonly at: number; readonly since: string; readonly leftover: Leftover | undefined }
  | {
      readonly name: 'refused';
      readonly at: number;
      readonly reason: string;
      /** Where the archive is kept; undefined where it was gone before it could be read. */
      readonly kept: string | undefined;
    }
  | { readonly name: 'expired'; readonly at: number };

const END_STATES: ReadonlySet<CaptureState['name']> = new Set([
  'committed',
  'duplicate',
  'unchanged',
  'refused',
  'expired',
]);

/** Whether nothing is left to be done but to tidy up. */
export function hasEnded(capture: Capture): capture is Capture & { state: EndState } {
  return END_STATES.has(capture.state.name);
}

/** Whether its export is kept: as a snapshot of its own, or by the one that it is the same as. */
export function isKept({ state }: Capture): boolean {
  return state.name === 'committed' || state.name === 'unchanged';
}

/** The archive that is being unpacked, or is to be. */
export function archiveOf({ state }: Pick<Capture, 'state'>): Archive | undefined {
  if (state.name === 'unpacking') return state.archive;
  return state.name === 'waiting' && state.next.name === 'unpack' ? state.next.archive : undefined;
}

/** Whether the archive is still to be had, by the link or by hand. */
export function lacksArchive({ state }: Capture): boolean {
  switch (state.name) {
    case 'found':
    case 'downloading':
    case 'needs-login':
      return true;
    case 'waiting':
      return state.next.name === 'download';
    default:
      return false;
  }
}

/** When the capture wants to be worked on next, ms UTC: to be tried, or to be told of. Undefined once it has ended. */
export function dueAt(capture: Capture): number | undefined {
  if (hasEnded(capture)) return undefined;
  const until = waitsUntil(capture);
  return until === undefined ? capture.foundAt : Math.min(until, capture.trouble?.tellAt ?? until);
}

/** Whether people are to be told of its trouble, and nothing else is to be done for it at `now` (ms UTC). */
export function isOnlyToBeTold(capture: Capture, now: number): boolean {
  const until = waitsUntil(capture);
  const tellAt = capture.trouble?.tellAt;
  return until !== undefined && until > now && tellAt !== undefined && tellAt <= now;
}

function waitsUntil({ state }: Capture): number | undefined {
  return state.name === 'waiting' || state.name === 'needs-login' ? state.until : undefined;
}

/** When the link dies, ms UTC; undefined for a capture that does not depend on a link. */
export function deadlineOf(capture: Capture): number | undefined {
  return capture.origin.kind === 'notice' ? capture.origin.deadline : undefined;
}

/** A new capture's id: short enough to be read aloud, 48 random bits. */
export function newCaptureId(): string {
  return randomBytes(6).toString('hex');
}
