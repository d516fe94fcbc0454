import type { MailboxConfig, MailboxSignIn } from '../../src/config/index.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { Secret } from '../../src/lib/secret.ts';
import {
  type ConnectMailbox,
  type MailboxConnection,
  MailboxError,
  type RawMessage,
  type SeenMessages,
} from '../../src/mailbox/index.ts';

export interface FakeMessage {
  readonly bytes?: number;
  readonly receivedAt?: number;
}

export interface FakeFolder {
  readonly uidValidity: string;
  readonly messages: Map<number, FakeMessage>;
  readonly flags?: readonly string[];
  readonly name?: string;
}

/** A mail server without a socket, behind the port that the watcher uses. */
export class FakeServer {
  /** When each sign-in was tried, ms. */
  readonly dials: number[] = [];
  readonly searches: { folder: string; from: readonly string[]; since: number; at: number }[] = [];
  readonly folders = new Map<string, FakeFolder>();
  listings = 0;
  open = 0;
  closed = 0;
  /** Set: what the next sign-ins end with. */
  signInError: (() => MailboxError) | undefined;
  /** Set: what fetching this UID ends with. */
  readonly fetchErrors = new Map<number, () => MailboxError>();
  #announce: Set<() => void> = new Set();
  #drop: Set<() => void> = new Set();

  constructor(folders: string[] = ['INBOX']) {
    for (const name of folders) this.folders.set(name, { uidValidity: '7', messages: new Map() });
  }

  /** A message arrives; whether the server announces it is up to it. */
  put(uid: number, message: FakeMessage = {}, { folder = 'INBOX', announced = true } = {}): void {
    this.folders.get(folder)?.messages.set(uid, message);
    if (announced) for (const announce of this.#announce) announce();
  }

  /** Every connection breaks. */
  drop(): void {
    for (const drop of this.#drop) drop();
  }

  readonly connect: ConnectMailbox = async ({ clock, signal }) => {
    this.dials.push(clock.now());
    if (this.signInError) throw this.signInError();
    this.open += 1;
    return this.#connection(clock, signal);
  };

  #connection(clock: Clock, signal: AbortSignal): MailboxConnection {
    let current = '';
    let lost = false;
    let changed = false;
    let wake = new AbortController();
    const announce = () => {
      changed = true;
      wake.abort();
    };
    const drop = () => {
      lost = true;
      wake.abort();
    };
    this.#announce.add(announce);
    this.#drop.add(drop);
    const alive = () => {
      signal.throwIfAborted();
      if (lost) throw unreachable();
    };
    const message = (uid: number) => {
      alive();
      const failure = this.fetchErrors.get(uid);
      if (failure) throw failure();
      return this.folders.get(current)?.messages.get(uid);
    };
    return {
      listFolders: async () => {
        alive();
        this.listings += 1;
        return [...this.folders.entries()].map(([path, { flags = [], name = path }]) => ({
          path,
          name,
          flags: new Set(flags),
          use: undefined,
        }));
      },
      openReadOnly: async (folder) => {
        alive();
        const found = this.folders.get(folder);
        if (!found) throw new MailboxError('folder-missing', `The folder ${folder} cannot be opened.`);
        current = folder;
        return { uidValidity: found.uidValidity, exists: found.messages.size };
      },
      search: async ({ from, since }) => {
        alive();
        changed = false;
        this.searches.push({ folder: current, from, since, at: clock.now() });
        return [...(this.folders.get(current)?.messages.keys() ?? [])].toSorted((a, b) => a - b);
      },
      fetchMeta: async (uid) => {
        const found = message(uid);
        return found && { bytes: found.bytes ?? 100, receivedAt: found.receivedAt, messageId: `<${uid}@test>` };
      },
      fetchSource: async (uid) => (message(uid) ? Buffer.from(`message ${uid}`) : undefined),
      waitForChange: async (waiting, maxMs) => {
        alive();
        wake = new AbortController();
        if (!changed) await clock.sleep(maxMs, AbortSignal.any([waiting, wake.signal])).catch(() => undefined);
        waiting.throwIfAborted();
        alive();
        return changed;
      },
      close: async () => {
        this.#announce.delete(announce);
        this.#drop.delete(drop);
        this.open -= 1;
        this.closed += 1;
      },
    };
  }
}

export function unreachable(): MailboxError {
  return new MailboxError('unreachable', 'The mail server cannot be used just now: ECONNRESET.');
}

export function refused(): MailboxError {
  return new MailboxError('sign-in-refused', 'The mail server refused the sign-in of ada@example.test.');
}

/** What was handed on, kept in memory; a stand-in for the journal. */
export class SeenInMemory implements SeenMessages {
  readonly taken: RawMessage[] = [];

  async unseen(mailbox: string, folder: string, uidValidity: string, uids: number[]): Promise<number[]> {
    return uids.filter(
      (uid) =>
        !this.taken.some(
          (message) =>
            message.mailbox === mailbox &&
            message.folder === folder &&
            message.uidValidity === uidValidity &&
            message.uid === uid,
        ),
    );
  }

  readonly take = async (message: RawMessage): Promise<void> => {
    this.taken.push(message);
  };

  get uids(): number[] {
    return this.taken.map(({ uid }) => uid);
  }
}

/** Everything about a mailbox but how one signs in to it. */
export type MailboxPlace = Omit<MailboxConfig, keyof MailboxSignIn>;

export function mailboxConfig(
  overrides: Partial<MailboxPlace> = {},
  signIn: MailboxSignIn = { password: new Secret('correct horse battery staple') },
): MailboxConfig {
  const place: MailboxPlace = {
    name: 'ada',
    host: 'imap.example.test',
    port: 993,
    security: 'tls',
    user: 'ada@example.test',
    folders: ['INBOX'],
    searchEveryMinutes: 5,
    lookBackDays: 7,
    ...overrides,
  };
  return { ...place, ...signIn };
}
