import type { Secret } from '../lib/secret.ts';

/** What names one export for ever: the ZIP's name without `.zip` (shared facts: link `id`, Azure blob name). */
export type ExportId = string;

/** What a message turned out to be. */
export type Notice = ReadyNotice | StartedNotice | RefusedNotice | UndecidedNotice | UnrelatedNotice;

/** An export is ready to be fetched. */
export interface ReadyNotice {
  readonly kind: 'ready';
  readonly provider: string;
  readonly exportId: ExportId;
  readonly link: Secret;
  /** When the export was made (stamp in the link), ms UTC. */
  readonly exportTime: number;
  /** When the link dies, ms UTC. */
  readonly deadline: number;
  /** How the sender was proved, for the record: `DKIM d=tm.openai.com`. */
  readonly proof: string;
  /** A sentence for the user where the sender was not proved, and the policy takes the notice even so. */
  readonly warning?: string;
}

/** An export was asked for; the ready notice is to come. */
export interface StartedNotice {
  readonly kind: 'started';
  readonly provider: string;
}

/** It claims to be an export-ready notice, and something is wrong with it. It is left untouched, and told once. */
export interface RefusedNotice {
  readonly kind: 'refused';
  /** Who sent it, if that was proved (or the policy asks for no proof): an export is ready then, and out of reach. */
  readonly provider?: string;
  readonly reason: RefusalReason;
  /** A sentence for the user; holds no link. */
  readonly detail: string;
}

export type RefusalReason =
  | 'sender-not-trusted'
  | 'several-senders'
  | 'not-authentic'
  | 'link-not-trusted'
  | 'no-link'
  /** Its link is hidden behind a service that was not, or could not be, asked where it leads. */
  | 'link-hidden'
  | 'too-large';

/**
 * It cannot be told just now what it is: the DNS is down or has lost the sender's key, or the service behind which the
 * link is hidden does not answer. To be read again until `until`; from then on it is refused with the reason.
 */
export interface UndecidedNotice {
  readonly kind: 'undecided';
  /** A sentence for the user; holds no link. */
  readonly detail: string;
  /** When the link dies, or would at the latest, ms UTC. */
  readonly until: number;
}

/** Not ours: another mail of the same sender, or of anybody. */
export interface UnrelatedNotice {
  readonly kind: 'unrelated';
  readonly why: string;
}
