/** A message that may be a notice, as it lies in the mailbox. */
export interface RawMessage {
  /** The mailbox's name in the config. */
  readonly mailbox: string;
  readonly folder: string;
  /** With the UID it names the message for ever; a new value voids all UIDs of the folder (RFC 9051 section 2.3.1.1). */
  readonly uidValidity: string;
  readonly uid: number;
  /** When the server received it (INTERNALDATE), ms UTC. */
  readonly receivedAt: number;
  /** The Message-ID header as it stands there, angle brackets included. */
  readonly messageId: string | undefined;
  /** Size in bytes, by the server's word. */
  readonly bytes: number;
  /** The whole message; undefined where it is larger than {@link MESSAGE_MOST_BYTES}, and was not downloaded. */
  readonly source: Buffer | undefined;
}

/** No message larger than this is downloaded: honest notices have tens of kilobytes. */
export const MESSAGE_MOST_BYTES = 5_000_000;

/** The memory of what was handed on before. A port: the journal implements it. */
export interface SeenMessages {
  /** Those of `uids` that have not been recorded as seen, in any order. */
  unseen(mailbox: string, folder: string, uidValidity: string, uids: number[]): Promise<number[]>;
}

/**
 * Takes one message. When it resolves, the message is recorded durably, as seen too; when it rejects, the message is
 * handed on again at a later search. It settles soon after `signal` aborts.
 */
export type MessageHandler = (message: RawMessage, signal: AbortSignal) => Promise<void>;
