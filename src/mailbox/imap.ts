import type { MailboxConfig } from '../config/index.ts';
import type { Clock } from '../lib/clock.ts';
import type {
  ConnectEditor,
  ConnectMailbox,
  MailboxConnection,
  MailboxEditor,
  MessageMeta,
  OpenFolder,
} from './connection.ts';
import { type ConnectorOptions, createDial, type Driver } from './driver.ts';
import type { ListedFolder } from './folders.ts';

/** Connects by imapflow, to read. */
export function imapConnector(config: MailboxConfig, options?: ConnectorOptions): ConnectMailbox {
  const dial = createDial(config, options);
  return async (context) => new ImapConnection(await dial(context), context.clock);
}

/** Connects by imapflow, to change what is there. */
export function imapEditorConnector(config: MailboxConfig, options?: ConnectorOptions): ConnectEditor {
  const dial = createDial(config, options);
  return async (context) => new ImapEditor(await dial(context));
}

class ImapConnection implements MailboxConnection {
  readonly #driver: Driver;
  readonly #clock: Clock;
  #changed = false;
  #wake = new AbortController();

  constructor(driver: Driver, clock: Clock) {
    this.#driver = driver;
    this.#clock = clock;
    driver.whenLost(() => this.#wake.abort());
    driver.client.on('exists', () => {
      this.#changed = true;
      this.#wake.abort();
    });
  }

  listFolders(): Promise<ListedFolder[]> {
    return this.#driver.listFolders();
  }

  openReadOnly(folder: string): Promise<OpenFolder> {
    return this.#driver.open(folder, true);
  }

  search({ from, since }: { readonly from: readonly string[]; readonly since: number }): Promise<number[]> {
    this.#changed = false;
    return this.#driver.search({ or: from.map((each) => ({ from: each })), since: new Date(since) });
  }

  fetchMeta(uid: number): Promise<MessageMeta | undefined> {
    return this.#driver.fetchMeta(uid);
  }

  async fetchSource(uid: number): Promise<Buffer | undefined> {
    const query = { uid: true, source: true };
    const { downloadMs } = this.#driver.limits;
    return (await this.#driver.fetch(uid, query, downloadMs, ({ source }) => source !== undefined))?.source;
  }

  async waitForChange(signal: AbortSignal, maxMs: number): Promise<boolean> {
    this.#wake = new AbortController();
    if (this.#changed) return true;
    if (this.#driver.lost) throw this.#driver.lost;
    await this.#idle(signal, maxMs);
    signal.throwIfAborted();
    if (!this.#changed) await this.#driver.ask(() => this.#driver.client.noop());
    return this.#changed;
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  /** Lets the server tell of changes for `maxMs`; where it cannot, ends that early, or is silent, for a shorter while. */
  async #idle(signal: AbortSignal, maxMs: number): Promise<void> {
    const { client, limits } = this.#driver;
    const ended = new AbortController();
    const receivedBefore = client.stats().received;
    if (client.capabilities.has('IDLE') || client.capabilities.has('IMAP4rev2')) {
      // It is not waited for: whichever command comes next ends the IDLE.
      void client
        .idle()
        .catch(() => undefined)
        .finally(() => ended.abort());
    } else {
      ended.abort();
    }
    await this.#sleep(Math.min(maxMs, limits.idlePauseMs), [signal, this.#wake.signal]);
    // The driver takes a server that never confirms the IDLE for one that idles, and does not probe it.
    const isConfirmed = client.stats().received > receivedBefore;
    if (isConfirmed && maxMs > limits.idlePauseMs) {
      await this.#sleep(maxMs - limits.idlePauseMs, [signal, this.#wake.signal, ended.signal]);
    }
  }

  async #sleep(ms: number, wakers: AbortSignal[]): Promise<void> {
    await this.#clock.sleep(ms, AbortSignal.any(wakers)).catch(() => undefined);
  }
}

class ImapEditor implements MailboxEditor {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  listFolders(): Promise<ListedFolder[]> {
    return this.#driver.listFolders();
  }

  open(folder: string): Promise<OpenFolder> {
    return this.#driver.open(folder, false);
  }

  findMessageId(messageId: string): Promise<number[]> {
    return this.#driver.search({ header: { 'message-id': messageId } });
  }

  fetchMeta(uid: number): Promise<MessageMeta | undefined> {
    return this.#driver.fetchMeta(uid);
  }

  addFlags(uid: number, flags: readonly string[]): Promise<boolean> {
    return this.#driver.ask(() => this.#driver.client.messageFlagsAdd(String(uid), [...flags], { uid: true }));
  }

  async move(uid: number, folder: string): Promise<boolean> {
    const moved = await this.#driver.ask(() => this.#driver.client.messageMove(String(uid), folder, { uid: true }));
    return moved !== false && moved !== undefined;
  }

  close(): Promise<void> {
    return this.#driver.close();
  }
}
