import type { Clock } from '../lib/clock.ts';
import type { ListedFolder } from './folders.ts';

/**
 * One signed-in connection to one mailbox: only what the watcher uses, and nothing that could change the mailbox. Every
 * command is time-boxed and rejects with a `MailboxError`. After any error but `folder-missing` the connection is spent.
 */
export interface MailboxConnection {
  /** Every folder of the mailbox; none where the server refuses to list them. */
  listFolders(): Promise<ListedFolder[]>;
  /** Opens a folder read-only (EXAMINE) and makes it the one that the other commands are about. */
  openReadOnly(folder: string): Promise<OpenFolder>;
  /**
   * UIDs of messages whose From header contains one of `from`, received on the day of `since` (ms UTC) or later, in
   * ascending order.
   */
  search(query: { readonly from: readonly string[]; readonly since: number }): Promise<number[]>;
  /** Undefined if the message is gone. */
  fetchMeta(uid: number): Promise<MessageMeta | undefined>;
  /** The whole message, without marking it as read (BODY.PEEK); undefined if it is gone. */
  fetchSource(uid: number): Promise<Buffer | undefined>;
  /**
   * Waits until messages arrived in the open folder since its last search began, or for at most `maxMs` milliseconds.
   * Resolves with whether something arrived. Either way the server has answered by then.
   */
  waitForChange(signal: AbortSignal, maxMs: number): Promise<boolean>;
  /** Signs out if that takes no longer than a second, and closes the connection. Never rejects. */
  close(): Promise<void>;
}

export interface OpenFolder {
  readonly uidValidity: string;
  /** How many messages are in it. */
  readonly exists: number;
}

export interface MessageMeta {
  /** RFC822.SIZE. */
  readonly bytes: number;
  /** INTERNALDATE, ms UTC; undefined where the server gives none. */
  readonly receivedAt: number | undefined;
  readonly messageId: string | undefined;
}

/**
 * One signed-in connection to one mailbox that may change it; apart from {@link MailboxConnection}, so that what watches
 * cannot. Every command is time-boxed and rejects with a `MailboxError`.
 */
export interface MailboxEditor {
  /** Every folder of the mailbox; none where the server refuses to list them. */
  listFolders(): Promise<ListedFolder[]>;
  /** Opens a folder (SELECT) and makes it the one that the other commands are about. */
  open(folder: string): Promise<OpenFolder>;
  /** UIDs of messages whose Message-ID header holds `messageId`, in ascending order. */
  findMessageId(messageId: string): Promise<number[]>;
  /** Undefined if the message is gone. */
  fetchMeta(uid: number): Promise<MessageMeta | undefined>;
  /** Whether the server has done it; it may not know the flag. */
  addFlags(uid: number, flags: readonly string[]): Promise<boolean>;
  /** Whether the server has done it; the folder may be missing. */
  move(uid: number, folder: string): Promise<boolean>;
  /** Signs out if that takes no longer than a second, and closes the connection. Never rejects. */
  close(): Promise<void>;
}

export interface ConnectContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Opens a connection and signs in. An aborted `signal` ends the attempt, and later every command of the connection. */
export type ConnectMailbox = (context: ConnectContext) => Promise<MailboxConnection>;
/** The same, for a connection that may change the mailbox. */
export type ConnectEditor = (context: ConnectContext) => Promise<MailboxEditor>;
