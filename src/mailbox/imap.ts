import { readFile } from 'node:fs/promises';
import { type ConnectionOptions, rootCertificates } from 'node:tls';
import { type FetchMessageObject, type FetchQueryObject, ImapFlow, type ImapFlowOptions } from 'imapflow';
import type { MailboxConfig } from '../config/index.ts';
import { type Clock, MINUTE_MS, SECOND_MS } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { isLoopback } from '../lib/loopback.ts';
import { withTimeout } from '../lib/signals.ts';
import type { ConnectMailbox, MailboxConnection, MessageMeta, OpenFolder } from './connection.ts';
import { MESSAGE_MOST_BYTES } from './message.ts';
import { asMailboxError, type Doing, MailboxError } from './trouble.ts';

const CONNECTION_TIMEOUT_MS = 30 * SECOND_MS;
const GREETING_TIMEOUT_MS = 20 * SECOND_MS;
/** Greeting, TLS, sign-in and capabilities together. */
const SIGN_IN_TIMEOUT_MS = 90 * SECOND_MS;
const COMMAND_TIMEOUT_MS = 60 * SECOND_MS;
/** 5 MB at 250 kbit/s. */
const DOWNLOAD_TIMEOUT_MS = 160 * SECOND_MS;
const LOGOUT_TIMEOUT_MS = SECOND_MS;
/** A socket quiet for this long is probed with a NOOP by the driver, and given up after as long again. */
const SOCKET_TIMEOUT_MS = 75 * SECOND_MS;
/**
 * No IDLE begins sooner than this after the one before: servers that refuse IDLE, or end it at once, are asked once a
 * minute instead, which also stays below {@link SOCKET_TIMEOUT_MS}.
 */
const IDLE_PAUSE_MS = MINUTE_MS;

/** A long SEARCH answer is one line; 4 MB hold half a million UIDs. */
const MOST_LINE_BYTES = 4_000_000;
const MOST_LITERAL_BYTES = MESSAGE_MOST_BYTES + 1_000_000;

/**
 * Connects by imapflow. Each connection is a new instance: a spent one cannot be used again, and what an old one still
 * reports reaches only itself.
 */
export function imapConnector(config: MailboxConfig): ConnectMailbox {
  return async ({ clock, signal }) => {
    const client = new ImapFlow({ ...driverOptions(config), tls: await tlsOptions(config) });
    const connection = new ImapConnection(client, config, clock, signal);
    try {
      await connection.signIn();
      return connection;
    } catch (error) {
      client.close();
      throw error;
    }
  };
}

function driverOptions(config: MailboxConfig): ImapFlowOptions {
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
    auth: { user: config.user, pass: config.password.reveal() },
    clientInfo: { name: 'Chatkeep', version: false, vendor: false, 'support-url': false },
    // The driver's log holds addresses and subjects.
    logger: false,
    disableAutoIdle: true,
    // A compressed stream has no bounds, and mail of this size needs none.
    disableCompression: true,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    maxLineLength: MOST_LINE_BYTES,
    maxLiteralSize: MOST_LITERAL_BYTES,
    maxResponseSize: MOST_LITERAL_BYTES + MOST_LINE_BYTES,
  };
}

async function tlsOptions(config: MailboxConfig): Promise<ConnectionOptions> {
  const common: ConnectionOptions = { minVersion: 'TLSv1.2', rejectUnauthorized: true };
  if (config.caFile === undefined) return common;
  try {
    return { ...common, ca: [...rootCertificates, await readFile(config.caFile, 'utf8')] };
  } catch (error) {
    throw new MailboxError(
      'unreachable',
      `The ca_file ${config.caFile} cannot be read: ${errorMessage(error)}.`,
      error,
    );
  }
}

class ImapConnection implements MailboxConnection {
  readonly #client: ImapFlow;
  readonly #config: MailboxConfig;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Why the connection is gone, once it is. */
  #lost: MailboxError | undefined;
  #changed = false;
  #wake = new AbortController();

  constructor(client: ImapFlow, config: MailboxConfig, clock: Clock, signal: AbortSignal) {
    this.#client = client;
    this.#config = config;
    this.#clock = clock;
    this.#signal = signal;
    client.on('error', (error) => this.#lose(error));
    client.on('close', () => this.#lose(new Error(client.byeReason ?? 'the connection was closed')));
    client.on('exists', () => {
      this.#changed = true;
      this.#wake.abort();
    });
  }

  async signIn(): Promise<void> {
    await this.#command('sign-in', SIGN_IN_TIMEOUT_MS, this.#config.user, () => this.#client.connect());
    // A PREAUTH greeting, for one, makes a client skip STARTTLS.
    if (this.#config.security !== 'none' && !this.#client.secureConnection) {
      throw new MailboxError('protocol', 'The mail server offers no encrypted connection, and one is required.');
    }
  }

  async openReadOnly(folder: string): Promise<OpenFolder> {
    const opened = await this.#command('open-folder', COMMAND_TIMEOUT_MS, folder, () =>
      this.#client.mailboxOpen(folder, { readOnly: true }),
    );
    if (opened.uidValidity === undefined) {
      throw new MailboxError('protocol', `The mail server gives no UIDVALIDITY for the folder ${folder}.`);
    }
    return { uidValidity: String(opened.uidValidity), exists: opened.exists };
  }

  async search({ from, since }: { readonly from: string; readonly since: number }): Promise<number[]> {
    this.#changed = false;
    const uids = await this.#command('command', COMMAND_TIMEOUT_MS, this.#config.host, () =>
      this.#client.search({ from, since: new Date(since) }, { uid: true }),
    );
    // The driver answers a refused SEARCH with `false`: that is no "nothing found".
    if (!uids) throw this.#lost ?? new MailboxError('protocol', 'The mail server refused a search.');
    return uids.toSorted((a, b) => a - b);
  }

  async fetchMeta(uid: number): Promise<MessageMeta | undefined> {
    const query = { uid: true, size: true, internalDate: true, envelope: true };
    const message = await this.#fetch(uid, query, COMMAND_TIMEOUT_MS, (candidate) => candidate.size !== undefined);
    if (message?.size === undefined) return undefined;
    const receivedAt = new Date(message.internalDate ?? Number.NaN).getTime();
    return {
      bytes: message.size,
      receivedAt: Number.isNaN(receivedAt) ? undefined : receivedAt,
      messageId: message.envelope?.messageId || undefined,
    };
  }

  async fetchSource(uid: number): Promise<Buffer | undefined> {
    const query = { uid: true, source: true };
    const message = await this.#fetch(uid, query, DOWNLOAD_TIMEOUT_MS, (candidate) => candidate.source !== undefined);
    return message?.source;
  }

  async waitForChange(signal: AbortSignal, maxMs: number): Promise<boolean> {
    this.#wake = new AbortController();
    if (this.#changed) return true;
    if (this.#lost) throw this.#lost;
    const ended = new AbortController();
    // It is not waited for: whichever command comes next ends the IDLE.
    void this.#client
      .idle()
      .catch(() => undefined)
      .finally(() => ended.abort());
    await this.#sleep(Math.min(maxMs, IDLE_PAUSE_MS), [signal, this.#wake.signal]);
    if (maxMs > IDLE_PAUSE_MS) {
      await this.#sleep(maxMs - IDLE_PAUSE_MS, [signal, this.#wake.signal, ended.signal]);
    }
    signal.throwIfAborted();
    if (!this.#changed) {
      await this.#command('command', COMMAND_TIMEOUT_MS, this.#config.host, () => this.#client.noop());
    }
    return this.#changed;
  }

  async close(): Promise<void> {
    try {
      if (!this.#lost) await withTimeout('LOGOUT', LOGOUT_TIMEOUT_MS, undefined, () => this.#client.logout());
    } catch {
      // A server that does not answer is left without a word.
    } finally {
      this.#client.close();
    }
  }

  /** One message, picked from the answer by its UID: a server may send data of others in between (RFC 9051 section 7.5.2). */
  async #fetch(
    uid: number,
    query: FetchQueryObject,
    timeoutMs: number,
    isAnswer: (message: FetchMessageObject) => boolean,
  ): Promise<FetchMessageObject | undefined> {
    const messages = await this.#command('command', timeoutMs, this.#config.host, () =>
      this.#client.fetchAll(String(uid), query, { uid: true }),
    );
    if (this.#lost) throw this.#lost;
    return messages.find((message) => message.uid === uid && isAnswer(message));
  }

  async #command<T>(doing: Doing, timeoutMs: number, where: string, work: () => Promise<T>): Promise<T> {
    if (this.#lost) throw this.#lost;
    try {
      return await withTimeout('The mail server’s answer', timeoutMs, this.#signal, work);
    } catch (error) {
      this.#signal.throwIfAborted();
      const meant = asMailboxError(error, doing, where);
      // A command that was under way when the connection broke does not know why it did.
      throw meant.trouble.kind === 'unreachable' ? (this.#lost ?? meant) : meant;
    }
  }

  async #sleep(ms: number, wakers: AbortSignal[]): Promise<void> {
    await this.#clock.sleep(ms, AbortSignal.any(wakers)).catch(() => undefined);
  }

  #lose(error: unknown): void {
    this.#lost ??= asMailboxError(error, 'command', this.#config.host);
    this.#wake.abort();
  }
}
