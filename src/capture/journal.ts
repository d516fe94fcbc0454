import type { Delivery, Message, Outbox } from '../notify/index.ts';
import type { Awaited } from './awaited.ts';
import type { Capture } from './capture.ts';

/** Where a message lies, for as long as the folder's UIDVALIDITY stands (RFC 9051 section 2.3.1.1). */
export interface MessageKey {
  readonly mailbox: string;
  readonly folder: string;
  readonly uidValidity: string;
  readonly uid: number;
}

/** That a message was dealt with, and as what. */
export interface MessageRecord extends MessageKey {
  readonly messageId: string | undefined;
  readonly outcome: 'ready' | 'started' | 'refused' | 'unrelated';
  readonly at: number;
}

/** A message to people, and the services (by id) that are to deliver it. */
export interface NewNotification {
  readonly message: Message;
  readonly recipients: readonly string[];
}

/** What people were last told of a subject that has no record of its own, so that a restart repeats nothing. */
export interface Told {
  /** Whose part it is, and of what: `nudge ada@example.org`. */
  readonly subject: string;
  /** What was told, as a word of that part. */
  readonly what: string;
  /** ms UTC */
  readonly at: number;
}

/** What is recorded in one transaction: all of it, or nothing. */
export interface JournalEntry {
  /** New or changed captures. */
  readonly captures?: readonly Capture[];
  readonly message?: MessageRecord;
  /** A file that was taken in; its key is not taken again until it is forgotten. */
  readonly fileKey?: string;
  /** A handed-in file that has become a capture. */
  readonly accepted?: { readonly handIn: number; readonly capture: string };
  /** What is awaited in a mailbox from now on. */
  readonly awaited?: Awaited | undefined;
  /** What people know of each of these subjects from now on. */
  readonly told?: readonly Told[];
  readonly notifications?: readonly NewNotification[];
}

/** An archive that a person hands in: by `chatkeep import`, perhaps while the service runs in another process. */
export interface HandIn {
  /** Absolute. */
  readonly path: string;
  readonly name: string;
  readonly afterwards: 'delete' | 'keep';
  readonly account: string | undefined;
}

/** How many notifications wait for their service, and why the last attempt of one of them failed. */
export interface Undelivered {
  readonly count: number;
  readonly lastError: string | undefined;
  /** When the oldest of them was recorded, ms UTC. */
  readonly oldestAt: number | undefined;
}

/**
 * What is to be done, durably: a port. Every implementation passes test/capture/journal-contract.ts. It is a to-do list
 * and a cache; the truth is the backup directory.
 *
 * Each of its methods throws ChatkeepError `storage` where its disk is full or fails, or what lies there is damaged.
 */
export interface Journal extends Outbox, AsyncDisposable {
  /** Records in one transaction; when it resolves, a crash cannot undo it. */
  record(entry: JournalEntry): Promise<void>;
  capture(id: string): Promise<Capture | undefined>;
  /** The open captures, oldest first. */
  openCaptures(): Promise<Capture[]>;
  /** Ended captures that have an archive left to delete. */
  untidyCaptures(): Promise<Capture[]>;
  /** The captures that ended last, newest first. */
  endedCaptures(limit: number): Promise<Capture[]>;
  /** How many captures there are in each state, of all that were ever made. */
  captureCounts(): Promise<Partial<Record<Capture['state']['name'], number>>>;
  /** Every capture of an export, open or ended. */
  capturesOfExport(exportId: string): Promise<Capture[]>;
  /** Those of `uids` that were not dealt with yet. */
  unseen(mailbox: string, folder: string, uidValidity: string, uids: number[]): Promise<number[]>;
  /** Whether a message of this id was dealt with that way before (in another folder, or under another UID). */
  knowsMessage(messageId: string, outcome: MessageRecord['outcome']): Promise<boolean>;
  knowsFile(fileKey: string): Promise<boolean>;
  /** Forgets all files but those of these keys: one that is gone and comes back is taken in, and told of, again. */
  forgetFilesBut(fileKeys: readonly string[]): Promise<void>;
  /** Leaves a file for the conductor, which may be in another process; gives the hand-in's number. */
  handIn(file: HandIn): Promise<number>;
  /** Hand-ins that have not become captures yet. */
  pendingHandIns(): Promise<(HandIn & { readonly id: number })[]>;
  /** The capture that a hand-in has become. */
  captureOfHandIn(id: number): Promise<string | undefined>;
  /** What is awaited of a provider in a mailbox; undefined if nothing ever was, or came. */
  awaitedIn(mailbox: string, provider: string): Promise<Awaited | undefined>;
  /** Everything that is awaited, in whatever mailbox. */
  awaited(): Promise<Awaited[]>;
  /** What people were last told of a subject; undefined if nothing. */
  toldOf(subject: string): Promise<Told | undefined>;
  /** Forgets messages, delivered notifications and what was awaited, where older than `before` (ms UTC). */
  forget(before: number): Promise<void>;
  /** Whether a capture ended with a snapshot in the backup directory: its own, or one that was there already. */
  knowsSnapshot(): Promise<boolean>;
  /**
   * Makes `recipients` (ids of services) all that there are: what was not delivered yet to any other goes, from the
   * first attempt on and at once, to each of them that was never to get that notification, and ends where there is none.
   */
  readdress(recipients: readonly string[]): Promise<void>;
  /** Notifications not delivered yet: to the service of this id, or to all. */
  undelivered(recipient?: string): Promise<Undelivered>;
}

export type { Delivery };
