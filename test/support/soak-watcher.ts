import { MINUTE_MS } from '../../src/lib/clock.ts';
import { Secret } from '../../src/lib/secret.ts';
import { createSignIn, imapConnector, MailboxWatcher, type RawMessage } from '../../src/mailbox/index.ts';
import { createTxtResolver, readNotice, senderMarks } from '../../src/notice/index.ts';
import { mailboxConfig } from '../mailbox/fake-server.ts';
import { FastClock } from './fast-clock.ts';

/** A tenth of a second is a minute: a connection that held for so long was a good one, and is dialled again at once. */
const SPEED = 600;
const MOST_UIDS = 2 ** 16;

/** Where the mail and the sender's key are, in plain values: it may be told to another process. */
export interface SoakPlace {
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
  readonly user: string;
  readonly password: string;
  /** `127.0.0.1:PORT` */
  readonly dnsServer: string;
}

export interface SoakEvents {
  onSignIn(): void;
  /** @param outcome what the message was read as: `ready`, `refused`… */
  onHandedOn(messageId: string, outcome: string): void;
}

/**
 * Watches a mailbox and reads what it holds, as the service does, at 600 times the speed of life: the real watcher, the
 * real driver over TLS, the real reader of notices with DKIM by real DNS. Resolves when it is stopped and all is closed.
 */
export async function watchForSoak(place: SoakPlace, events: SoakEvents, signal: AbortSignal): Promise<void> {
  const { host, port, caFile, user, password, dnsServer } = place;
  const config = mailboxConfig(
    { host, port, caFile, user, folders: undefined, lookBackDays: 30 },
    { password: new Secret(password) },
  );
  const signIn = createSignIn(config);
  const connect = imapConnector(config, { signIn });
  const resolveTxt = createTxtResolver([dnsServer]);
  const seen = new SeenBits();
  const watcher = new MailboxWatcher({
    config,
    signIn,
    senders: senderMarks(),
    seen,
    clock: new FastClock(SPEED),
    async connect(context) {
      const connection = await connect(context);
      events.onSignIn();
      return connection;
    },
    async onMessage(message) {
      const notice = await readNotice(message, {
        extraOrigins: [],
        authenticity: 'require',
        resolveTxt,
        now: Date.now() + MINUTE_MS,
      });
      seen.add(message);
      events.onHandedOn(message.messageId ?? '', notice.kind);
    },
  });
  await watcher.run(signal);
}

/** What was seen in one folder, a byte a message: a memory that does not grow. */
class SeenBits {
  readonly #seen = new Uint8Array(MOST_UIDS);

  async unseen(_mailbox: string, folder: string, _uidValidity: string, uids: number[]): Promise<number[]> {
    return folder === 'INBOX' ? uids.filter((uid) => this.#seen[uid] !== 1) : [];
  }

  add({ uid }: RawMessage): void {
    if (uid >= MOST_UIDS) throw new RangeError('There is no room for so many messages.');
    this.#seen[uid] = 1;
  }
}
