import { type FetchMessageObject, type FetchQueryObject, ImapFlow, type ImapFlowOptions } from 'imapflow';
import * as z from 'zod';
import type { MailboxConfig } from '../config/index.ts';
import { MINUTE_MS, SECOND_MS } from '../lib/clock.ts';
import { isLoopback } from '../lib/loopback.ts';
import { withTimeout } from '../lib/signals.ts';
import type { ConnectContext, MessageMeta, OpenFolder } from './connection.ts';
import type { ListedFolder } from './folders.ts';
import { MESSAGE_MOST_BYTES } from './message.ts';
import { type Credential, createSignIn, type SignIn } from './sign-in.ts';
import { holdToFingerprint, showsFingerprint, type Trust, trustOf } from './tls.ts';
import { asMailboxError, type Doing, MailboxError } from './trouble.ts';

/** How long things may take, ms. */
export interface ImapLimits {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number;
  readonly greetingMs: number;
  /** Greeting, TLS, sign-in and capabilities together. */
  readonly signInMs: number;
  readonly commandMs: number;
  /** One message. */
  readonly downloadMs: number;
  /** A socket quiet for this long is probed with a NOOP by the driver, and given up after as long again. */
  readonly socketMs: number;
  /**
   * No IDLE begins sooner than this after the one before: servers that refuse IDLE, or end it at once, are asked that
   * often instead. It stays below `socketMs`.
   */
  readonly idlePauseMs: number;
}

export const USUAL_LIMITS: ImapLimits = {
  connectMs: 30 * SECOND_MS,
  greetingMs: 20 * SECOND_MS,
  signInMs: 90 * SECOND_MS,
  commandMs: 60 * SECOND_MS,
  /** 5 MB at 250 kbit/s. */
  downloadMs: 160 * SECOND_MS,
  socketMs: 75 * SECOND_MS,
  idlePauseMs: MINUTE_MS,
};

export interface ConnectorOptions {
  /** Else made from the configuration. One mailbox's connections share one. */
  readonly signIn?: SignIn;
  readonly limits?: Partial<ImapLimits>;
}

const LOGOUT_TIMEOUT_MS = SECOND_MS;

/** A long SEARCH answer is one line; 4 MB hold half a million UIDs. */
const MOST_LINE_BYTES = 4_000_000;
const MOST_LITERAL_BYTES = MESSAGE_MOST_BYTES + 1_000_000;

/** What tells a command that the server refused (RFC 9051 section 7.1) from one that broke off. */
const refusedCommand = z.object({ responseStatus: z.enum(['NO', 'BAD']) });

/** Gives a function that signs in to a mailbox each time it is called. */
export function createDial(
  config: MailboxConfig,
  { signIn = createSignIn(config), limits: some = {} }: ConnectorOptions = {},
): (context: ConnectContext) => Promise<Driver> {
  const limits = { ...USUAL_LIMITS, ...some };
  async function dial(credential: Credential, context: ConnectContext): Promise<Driver> {
    const driver = new Driver(config, credential, await trustOf(config), limits, context);
    try {
      await driver.signIn();
      return driver;
    } catch (error) {
      driver.drop();
      throw error;
    }
  }
  return async (context) => {
    const credential = await signIn.credential(context.signal);
    try {
      return await dial(credential, context);
    } catch (error) {
      const isStale = credential.kind === 'access-token' && credential.isUsed;
      if (!isStale || !(error instanceof MailboxError) || error.trouble.kind !== 'sign-in-refused') throw error;
      return await dial(await signIn.credential(context.signal, true), context);
    }
  };
}

/**
 * One connection by imapflow, signed in, with a time limit on every command. Each is a new instance of the library's
 * client: a spent one cannot be used again, and what an old one still reports reaches only itself.
 */
export class Driver {
  readonly client: ImapFlow;
  readonly limits: ImapLimits;
  readonly #config: MailboxConfig;
  readonly #credential: Credential;
  readonly #signal: AbortSignal;
  /** Why the connection is gone, once it is. */
  #lost: MailboxError | undefined;
  #onLost: () => void = () => undefined;

  constructor(
    config: MailboxConfig,
    credential: Credential,
    trust: Trust,
    limits: ImapLimits,
    { signal }: ConnectContext,
  ) {
    this.limits = limits;
    this.#config = config;
    this.#credential = credential;
    this.#signal = signal;
    const isSafe = (): boolean => {
      if (config.security === 'none') return true;
      const { fingerprint } = trust;
      return (
        this.client.secureConnection &&
        (fingerprint === undefined || showsFingerprint(Reflect.get(this.client, 'socket'), fingerprint))
      );
    };
    this.client = new ImapFlow({
      ...optionsOf(config, limits),
      tls: trust.options,
      auth: guardedAuth(config.user, credential, isSafe),
    });
    if (trust.fingerprint !== undefined) holdToFingerprint(this.client, trust.fingerprint);
    this.client.on('error', (error) => this.#lose(error));
    this.client.on('close', () => this.#lose(new Error(this.client.byeReason ?? 'the connection was closed')));
  }

  get lost(): MailboxError | undefined {
    return this.#lost;
  }

  /** Calls `listener` when the connection is lost. */
  whenLost(listener: () => void): void {
    this.#onLost = listener;
  }

  async signIn(): Promise<void> {
    await this.command('sign-in', this.limits.signInMs, this.#config.user, () => this.client.connect());
    // A PREAUTH greeting, for one, makes a client skip STARTTLS.
    if (this.#config.security !== 'none' && !this.client.secureConnection) {
      throw new MailboxError('protocol', 'The mail server offers no encrypted connection, and one is required.');
    }
  }

  async open(folder: string, readOnly: boolean): Promise<OpenFolder> {
    const opened = await this.command('open-folder', this.limits.commandMs, folder, () =>
      this.client.mailboxOpen(folder, { readOnly }),
    );
    if (opened.uidValidity === undefined) {
      throw new MailboxError('protocol', `The mail server gives no UIDVALIDITY for the folder ${folder}.`);
    }
    return { uidValidity: String(opened.uidValidity), exists: opened.exists };
  }

  /** Every folder; none where the server refuses to list them. */
  async listFolders(): Promise<ListedFolder[]> {
    const listed = await this.ask(async () => {
      try {
        return await this.client.list();
      } catch (error) {
        if (refusedCommand.safeParse(error).success) return [];
        throw error;
      }
    });
    return listed.map(({ path, name, flags, specialUse }) => ({ path, name, flags, use: specialUse }));
  }

  async search(query: Parameters<ImapFlow['search']>[0]): Promise<number[]> {
    const uids = await this.ask(() => this.client.search(query, { uid: true }));
    // The driver answers a refused SEARCH with `false`: that is no "nothing found".
    if (!Array.isArray(uids)) throw this.#lost ?? new MailboxError('protocol', 'The mail server refused a search.');
    return uids.toSorted((a, b) => a - b);
  }

  async fetchMeta(uid: number): Promise<MessageMeta | undefined> {
    const query = { uid: true, size: true, internalDate: true, envelope: true };
    const message = await this.fetch(uid, query, this.limits.commandMs, ({ size }) => size !== undefined);
    if (message?.size === undefined) return undefined;
    const receivedAt = new Date(message.internalDate ?? Number.NaN).getTime();
    return {
      bytes: message.size,
      receivedAt: Number.isNaN(receivedAt) ? undefined : receivedAt,
      messageId: message.envelope?.messageId || undefined,
    };
  }

  /** One message, picked from the answer by its UID: a server may send data of others in between (RFC 9051 section 7.5.2). */
  async fetch(
    uid: number,
    query: FetchQueryObject,
    timeoutMs: number,
    isAnswer: (message: FetchMessageObject) => boolean,
  ): Promise<FetchMessageObject | undefined> {
    const messages = await this.command('command', timeoutMs, this.#config.host, () =>
      this.client.fetchAll(String(uid), query, { uid: true }),
    );
    if (this.#lost) throw this.#lost;
    return messages.find((message) => message.uid === uid && isAnswer(message));
  }

  /** A command with the usual time limit, about the server as a whole. */
  ask<T>(work: () => Promise<T>): Promise<T> {
    return this.command('command', this.limits.commandMs, this.#config.host, work);
  }

  /** @throws MailboxError */
  async command<T>(doing: Doing, timeoutMs: number, where: string, work: () => Promise<T>): Promise<T> {
    if (this.#lost) throw this.#lost;
    try {
      return await withTimeout('The mail server’s answer', timeoutMs, this.#signal, work);
    } catch (error) {
      this.#signal.throwIfAborted();
      const meant = asMailboxError(error, doing, where, [this.#credential.secret]);
      // A command that was under way when the connection broke does not know why it did.
      throw meant.trouble.kind === 'unreachable' ? (this.#lost ?? meant) : meant;
    }
  }

  /** Signs out if that takes no longer than a second, and closes the connection. Never rejects. */
  async close(): Promise<void> {
    try {
      if (!this.#lost) await withTimeout('LOGOUT', LOGOUT_TIMEOUT_MS, undefined, () => this.client.logout());
    } catch {
      // A server that does not answer is left without a word.
    } finally {
      this.client.close();
    }
  }

  /** Closes the connection without a word. */
  drop(): void {
    this.client.close();
  }

  #lose(error: unknown): void {
    this.#lost ??= asMailboxError(error, 'command', this.#config.host, [this.#credential.secret]);
    this.#onLost();
  }
}

function optionsOf(config: MailboxConfig, limits: ImapLimits): ImapFlowOptions {
  if (config.security === 'none' && !isLoopback(config.host)) {
    throw new MailboxError(
      'protocol',
      `security: none is taken for loopback addresses only, and ${config.host} is none. Use tls or starttls.`,
    );
  }
  return {
    host: config.host,
    port: config.port,
    secure: config.security === 'tls',
    doSTARTTLS: config.security === 'starttls',
    clientInfo: { name: 'Chatkeep', version: false, vendor: false, 'support-url': false },
    // The driver's log holds addresses and subjects.
    logger: false,
    disableAutoIdle: true,
    // A compressed stream has no bounds, and mail of this size needs none.
    disableCompression: true,
    connectionTimeout: limits.connectMs,
    greetingTimeout: limits.greetingMs,
    socketTimeout: limits.socketMs,
    maxLineLength: MOST_LINE_BYTES,
    maxLiteralSize: MOST_LITERAL_BYTES,
    maxResponseSize: MOST_LITERAL_BYTES + MOST_LINE_BYTES,
  };
}

/**
 * Hands the secret out at the moment it is to be sent, and only over a connection that is safe by then: whatever way the
 * driver has come there.
 */
function guardedAuth(
  user: string,
  { kind, secret }: Credential,
  isSafe: () => boolean,
): NonNullable<ImapFlowOptions['auth']> {
  const reveal = (): string => {
    if (isSafe()) return secret.reveal();
    throw new MailboxError('protocol', 'The connection to the mail server is not as safe as it is required to be.');
  };
  return {
    user,
    get pass() {
      return kind === 'password' ? reveal() : undefined;
    },
    get accessToken() {
      return kind === 'access-token' ? reveal() : undefined;
    },
  };
}
