import type { MailboxConfig } from '../config/index.ts';
import { type BackoffLimits, backoffMs } from '../lib/backoff.ts';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS, type Random, SECOND_MS, systemClock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { type Logger, silentLogger } from '../lib/logger.ts';
import { redactText } from '../lib/secret.ts';
import { TimeLimit } from '../lib/signals.ts';
import { formatBytes, formatDuration } from '../lib/text.ts';
import type { ConnectMailbox, MailboxConnection } from './connection.ts';
import { foldersToWatch } from './folders.ts';
import { imapConnector } from './imap.ts';
import { MESSAGE_MOST_BYTES, type MessageHandler, type RawMessage, type SeenMessages } from './message.ts';
import { createSignIn, type SignIn } from './sign-in.ts';
import { asMailboxError, MailboxError, type MailboxTrouble } from './trouble.ts';

/** What a watcher is at. */
export type MailboxState =
  | {
      readonly name: 'connecting';
      /** 1 for the first dial, and for the first after a connection that held; then one more for each in a row. */
      readonly attempt: number;
    }
  | {
      readonly name: 'watching';
      /** When it signed in, ms UTC. */
      readonly since: number;
      /** When the server last answered, ms UTC. */
      readonly lastAnswer: number;
      /** What is wrong although the mailbox is watched: one of several folders is missing, or messages cannot be taken. */
      readonly trouble: MailboxTrouble | undefined;
    }
  | {
      readonly name: 'waiting';
      /** When it dials again, ms UTC. */
      readonly until: number;
      /** How many dials in a row came to nothing, or to a connection that did not hold. */
      readonly attempt: number;
      readonly trouble: MailboxTrouble;
    }
  | { readonly name: 'stopped' };

export interface MailboxWatcherOptions {
  readonly config: MailboxConfig;
  /** What senders are searched for: `openai` finds OpenAI and whoever passes itself off as it; the handler tells them apart. */
  readonly senders: readonly string[];
  readonly seen: SeenMessages;
  readonly onMessage: MessageHandler;
  /** Told at each change of state, and when the trouble of a watched mailbox changes. */
  readonly onState?: (state: MailboxState) => void;
  /** The way in that `connect` uses: when the user has renewed it, it is tried at once. */
  readonly signIn?: SignIn;
  readonly connect?: ConnectMailbox;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** Up to 5 minutes, as the best mail watchers do. */
const RECONNECT: BackoffLimits = { firstMs: SECOND_MS, mostMs: 5 * MINUTE_MS };
/** 15 to 30 minutes at first, then 30 to 60: providers lock accounts after repeated wrong passwords. */
const AFTER_REFUSAL: BackoffLimits = { firstMs: 30 * MINUTE_MS, mostMs: 60 * MINUTE_MS };
/** How soon a renewed way to sign in is noticed. */
const LOOK_FOR_RENEWAL_EVERY_MS = 5 * SECOND_MS;
/** A connection that held for this long was good: one that drops sooner is dialled ever more slowly. */
const STABLE_AFTER_MS = MINUTE_MS;
/** Some servers and firewalls forget a silent client after 5 minutes; RFC 9051 section 6.3.13 names 29. */
const IDLE_MOST_MS = 3.5 * MINUTE_MS;
/** Only the first folder can be IDLEd; others that are configured, and what could not be taken, get their turn this often. */
const SOON_MS = MINUTE_MS;
/** Which folders there are is asked this often, where none are configured. */
const FOLDERS_STAND_MS = HOUR_MS;
/** Bounds the work that a server can cause by announcing messages without end. */
const SEARCH_PAUSE_MS = 0.5 * SECOND_MS;
/** A handler looks up DNS and writes to the journal. Shorter than the socket timeout, so that it costs no connection. */
const HANDLER_LIMIT_MS = MINUTE_MS;

/**
 * Watches one mailbox for ever: searches its folders at the start, after every reconnection, when the server announces
 * messages and every few minutes, and hands each message that was not seen before to the handler, one at a time.
 *
 * The mailbox is only read. Whatever fails is tried again: the connection with growing pauses, a message at the next
 * search.
 */
export class MailboxWatcher {
  readonly #config: MailboxConfig;
  readonly #senders: readonly string[];
  readonly #signIn: SignIn;
  readonly #connect: ConnectMailbox;
  readonly #seen: SeenMessages;
  readonly #onMessage: MessageHandler;
  readonly #onState: (state: MailboxState) => void;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #failures = new FailureCounts();
  #state: MailboxState = { name: 'stopped' };
  #lastAnswer: number | undefined;
  #readUpTo: number | undefined;
  #folders: readonly string[] = [];

  constructor(options: MailboxWatcherOptions) {
    this.#config = options.config;
    this.#senders = options.senders;
    this.#signIn = options.signIn ?? createSignIn(options.config);
    this.#connect = options.connect ?? imapConnector(options.config, { signIn: this.#signIn });
    this.#seen = options.seen;
    this.#onMessage = options.onMessage;
    this.#onState = options.onState ?? (() => undefined);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#logger = options.logger ?? silentLogger;
  }

  get state(): MailboxState {
    const state = this.#state;
    return state.name === 'watching' ? { ...state, lastAnswer: this.#lastAnswer ?? state.lastAnswer } : state;
  }

  /** The heartbeat: when the server last answered a command, ms UTC, over all connections. */
  get lastAnswer(): number | undefined {
    return this.#lastAnswer;
  }

  /** By when all that had reached the mailbox was found and taken, ms UTC; undefined before the first whole search. */
  get readUpTo(): number | undefined {
    return this.#readUpTo;
  }

  /** The folders that the last whole search went through. */
  get folders(): readonly string[] {
    return this.#folders;
  }

  /** Watches until `signal` aborts, and resolves when the connection is closed and no handler runs any more. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let attempt = 0;
    let refusals = 0;
    while (!signal.aborted) {
      this.#enter({ name: 'connecting', attempt: attempt + 1 });
      const wayIn = await this.#signIn.fingerprint();
      const { trouble, heldMs } = await this.#session(signal);
      if (signal.aborted) break;
      attempt = heldMs >= STABLE_AFTER_MS ? 0 : attempt + 1;
      refusals = trouble.kind === 'sign-in-refused' ? refusals + 1 : 0;
      const waitMs =
        refusals > 0 ? backoffMs(refusals, AFTER_REFUSAL, this.#random) : backoffMs(attempt, RECONNECT, this.#random);
      this.#enter({ name: 'waiting', until: this.#clock.now() + waitMs, attempt, trouble });
      this.#logger.warn(`${trouble.detail} Trying again in ${formatDuration(waitMs)}.`);
      if (refusals > 0) await this.#untilRenewed(wayIn, waitMs, signal);
      else await this.#clock.sleep(waitMs, signal).catch(() => undefined);
    }
    this.#enter({ name: 'stopped' });
  }

  /** Waits until the user has renewed the way to sign in, or for `ms`. */
  async #untilRenewed(wayIn: string, ms: number, signal: AbortSignal): Promise<void> {
    const until = this.#clock.now() + ms;
    for (let left = ms; left > 0 && !signal.aborted; left = until - this.#clock.now()) {
      await this.#clock.sleep(Math.min(left, LOOK_FOR_RENEWAL_EVERY_MS), signal).catch(() => undefined);
      if ((await this.#signIn.fingerprint()) !== wayIn) return;
    }
  }

  /** One connection from dial to end. */
  async #session(signal: AbortSignal): Promise<{ trouble: MailboxTrouble; heldMs: number }> {
    let connection: MailboxConnection | undefined;
    let since: number | undefined;
    try {
      connection = await this.#connect({ clock: this.#clock, signal });
      since = this.#answered();
      this.#logger.info(`Signed in to ${this.#config.host}.`);
      return await this.#watch(new Session(connection), since, signal);
    } catch (error) {
      const heldMs = since === undefined ? 0 : this.#clock.now() - since;
      return { trouble: asMailboxError(error, 'command', this.#config.host).trouble, heldMs };
    } finally {
      await connection?.close();
    }
  }

  async #watch(session: Session, since: number, signal: AbortSignal): Promise<never> {
    for (;;) {
      const begun = this.#clock.now();
      const trouble = await this.#searchFolders(session, signal);
      if (trouble?.kind !== 'handler-failed') this.#readUpTo = begun;
      this.#enterWatching(since, trouble);
      const someSoon = trouble !== undefined || (this.#config.folders?.length ?? 1) > 1;
      const everyMs = this.#config.searchEveryMinutes * MINUTE_MS;
      await this.#takeAnnounced(session, since, begun + (someSoon ? Math.min(everyMs, SOON_MS) : everyMs), signal);
    }
  }

  /** Until the next search of every folder is due, searches the open one whenever messages are announced in it. */
  async #takeAnnounced(session: Session, since: number, firstDue: number, signal: AbortSignal): Promise<void> {
    let due = firstDue;
    for (let begun = this.#clock.now(); await this.#isAnnounced(session.connection, due, signal); ) {
      await this.#clock.sleep(Math.max(0, begun + SEARCH_PAUSE_MS - this.#clock.now()), signal);
      begun = this.#clock.now();
      if (session.open === undefined) return;
      const trouble = await this.#searchFolder(session, session.open.folder, signal);
      if (trouble === undefined) continue;
      this.#enterWatching(since, trouble);
      due = Math.min(due, begun + SOON_MS);
    }
  }

  /** Waits for an announced message, and resolves with true; or for the moment of the next search, and with false. */
  async #isAnnounced(connection: MailboxConnection, due: number, signal: AbortSignal): Promise<boolean> {
    for (let left = due - this.#clock.now(); left > 0; left = due - this.#clock.now()) {
      const changed = await connection.waitForChange(signal, Math.min(left, IDLE_MOST_MS));
      this.#answered();
      if (changed) return true;
    }
    return false;
  }

  /**
   * Searches every folder, the first one last: it stays open, and announces what arrives from then on. Each is opened
   * anew, so that a new UIDVALIDITY is noticed, and what a server does not tell of in an open folder is seen.
   */
  async #searchFolders(session: Session, signal: AbortSignal): Promise<MailboxTrouble | undefined> {
    let trouble: MailboxTrouble | undefined;
    let lastGood: string | undefined;
    session.open = undefined;
    const folders = await this.#foldersOf(session);
    const searched: string[] = [];
    for (const folder of folders.toReversed()) {
      try {
        trouble = (await this.#searchFolder(session, folder, signal)) ?? trouble;
        lastGood = folder;
        searched.unshift(folder);
      } catch (error) {
        if (!(error instanceof MailboxError) || error.trouble.kind !== 'folder-missing') throw error;
        if (folder === folders[0] && lastGood === undefined) throw error;
        if (session.found === undefined || folder === folders[0]) trouble ??= error.trouble;
        else session.found.folders = session.found.folders.filter((other) => other !== folder);
      }
    }
    this.#folders = searched;
    if (lastGood !== undefined) await this.#open(session, lastGood);
    return trouble;
  }

  /** The configured folders, or else those that the mailbox has for what is looked for. */
  async #foldersOf(session: Session): Promise<readonly string[]> {
    if (this.#config.folders !== undefined) return this.#config.folders;
    const now = this.#clock.now();
    if (session.found === undefined || now >= session.found.at + FOLDERS_STAND_MS) {
      session.found = { folders: foldersToWatch(await session.connection.listFolders()), at: now };
      this.#answered();
      this.#logger.debug({ folders: session.found.folders }, 'The folders to watch were found.');
    }
    return session.found.folders;
  }

  async #open(session: Session, folder: string): Promise<string> {
    if (session.open?.folder === folder) return session.open.uidValidity;
    session.open = undefined;
    const { uidValidity } = await session.connection.openReadOnly(folder);
    this.#answered();
    session.open = { folder, uidValidity };
    return uidValidity;
  }

  async #searchFolder(session: Session, folder: string, signal: AbortSignal): Promise<MailboxTrouble | undefined> {
    const uidValidity = await this.#open(session, folder);
    // SINCE goes by the server's days, in a time zone that nobody tells (RFC 9051 section 6.4.4): one day wider.
    const since = this.#clock.now() - (this.#config.lookBackDays + 1) * DAY_MS;
    const uids = await session.connection.search({ from: this.#senders, since });
    this.#answered();
    const place = { folder, uidValidity };
    let unseen: number[];
    try {
      unseen = uids.length === 0 ? [] : await this.#seen.unseen(this.#config.name, folder, uidValidity, uids);
    } catch (error) {
      return this.#handlerTrouble('What was seen before could not be looked up', error);
    }
    let trouble: MailboxTrouble | undefined;
    for (const uid of this.#failures.inOrder(place, unseen)) {
      trouble = (await this.#handOn(session.connection, place, uid, signal)) ?? trouble;
    }
    return trouble;
  }

  /** Fetches one message and hands it on. Resolves with the trouble if the handler could not take it. */
  async #handOn(
    connection: MailboxConnection,
    place: Place,
    uid: number,
    signal: AbortSignal,
  ): Promise<MailboxTrouble | undefined> {
    signal.throwIfAborted();
    const message = await this.#failures.counting(place, uid, () => this.#fetch(connection, place, uid));
    if (message === undefined) {
      this.#logger.debug(`Message ${uid} of ${place.folder} is gone.`);
      return undefined;
    }
    try {
      using limit = new TimeLimit(HANDLER_LIMIT_MS, 'Taking the message took too long.', signal);
      await this.#failures.counting(place, uid, () => this.#onMessage(message, limit.signal));
      this.#failures.forget(place, uid);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return this.#handlerTrouble(`Message ${uid} of ${place.folder} could not be taken`, error);
    }
  }

  async #fetch(connection: MailboxConnection, place: Place, uid: number): Promise<RawMessage | undefined> {
    const meta = await connection.fetchMeta(uid);
    this.#answered();
    if (meta === undefined) return undefined;
    const common = {
      mailbox: this.#config.name,
      ...place,
      uid,
      receivedAt: meta.receivedAt ?? this.#clock.now(),
      messageId: meta.messageId,
      bytes: meta.bytes,
    };
    if (meta.bytes > MESSAGE_MOST_BYTES) {
      this.#logger.info(`Message ${uid} of ${place.folder} has ${formatBytes(meta.bytes)} and is not downloaded.`);
      return { ...common, source: undefined };
    }
    const source = await connection.fetchSource(uid);
    this.#answered();
    return source === undefined ? undefined : { ...common, source };
  }

  #handlerTrouble(what: string, error: unknown): MailboxTrouble {
    this.#logger.error({ err: error }, what);
    return { kind: 'handler-failed', detail: `${what}: ${redactText(errorMessage(error))}` };
  }

  #answered(): number {
    this.#lastAnswer = this.#clock.now();
    return this.#lastAnswer;
  }

  #enterWatching(since: number, trouble: MailboxTrouble | undefined): void {
    const before = this.#state;
    const same =
      before.name === 'watching' &&
      before.since === since &&
      before.trouble?.kind === trouble?.kind &&
      before.trouble?.detail === trouble?.detail;
    if (!same) this.#enter({ name: 'watching', since, lastAnswer: this.#lastAnswer ?? since, trouble });
  }

  #enter(state: MailboxState): void {
    this.#state = state;
    try {
      this.#onState(state);
    } catch (error) {
      this.#logger.error({ err: error }, 'A listener to the state of the mailbox failed');
    }
  }
}

/** A connection, with what is known of the mailbox by it. */
class Session {
  readonly connection: MailboxConnection;
  open: Place | undefined;
  /** The folders to watch, where none are configured, and when they were found, ms UTC. */
  found: { folders: string[]; readonly at: number } | undefined;

  constructor(connection: MailboxConnection) {
    this.connection = connection;
  }
}

interface Place {
  readonly folder: string;
  readonly uidValidity: string;
}

/** How often each message failed: those that did come after the others, so that none can stand in the way of the rest. */
class FailureCounts {
  readonly #counts = new Map<string, number>();

  /** UIDs in the order they are to be handed on: the oldest first, but those that failed after those that did not. */
  inOrder(place: Place, uids: readonly number[]): number[] {
    return uids.toSorted((a, b) => this.#of(place, a) - this.#of(place, b) || a - b);
  }

  async counting<T>(place: Place, uid: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#counts.set(key(place, uid), this.#of(place, uid) + 1);
      throw error;
    }
  }

  forget(place: Place, uid: number): void {
    this.#counts.delete(key(place, uid));
  }

  #of(place: Place, uid: number): number {
    return this.#counts.get(key(place, uid)) ?? 0;
  }
}

function key({ folder, uidValidity }: Place, uid: number): string {
  return JSON.stringify([folder, uidValidity, uid]);
}
