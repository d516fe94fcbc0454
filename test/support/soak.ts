import { setTimeout as delay } from 'node:timers/promises';
import { MINUTE_MS } from '../../src/lib/clock.ts';
import { startDovecot } from './dovecot.ts';
import { eventually } from './eventually.ts';
import { startMailProxy } from './mail-proxy.ts';
import { type DnsServer, startDnsServer } from './openai/dns-server.ts';
import {
  createDkimKey,
  dkimRecordName,
  EMAIL_KINDS,
  EMAIL_LANGUAGES,
  type EmailKind,
  makeEmail,
} from './openai/emails/index.ts';
import type { SoakPlace } from './soak-watcher.ts';

/** How much of it there is. */
export interface SoakSize {
  readonly reconnects: number;
  readonly mails: number;
}

/** What is soaked, wherever it runs. */
export interface Soaked {
  /** How often it has signed in. */
  signIns(): number;
  /** What it read each message as, by Message-ID, each time that it was handed on. */
  readonly outcomes: ReadonlyMap<string, readonly string[]>;
}

/** A real Dovecot over TLS, with a proxy before it that cuts, and a DNS server that holds the sender's key. */
export interface SoakWorld extends AsyncDisposable {
  readonly place: SoakPlace;
  /**
   * Delivers mails and breaks connections until there was enough of both, and everything was handed on.
   *
   * @param onShare called with what share of it is done, in steps of a tenth, when nothing is under way
   */
  run(size: SoakSize, soaked: Soaked, onShare?: (share: number) => Promise<void>): Promise<SoakResult>;
}

export interface SoakResult {
  readonly mails: number;
  readonly reconnects: number;
  readonly cuts: Readonly<Record<Cut, number>>;
  /** Message-IDs that were never handed on, more than once, or read as something else than they are. */
  readonly wrong: readonly string[];
}

/** Without a word, as a NAT box does; orderly, as a server does; by the administrator. */
export type Cut = 'reset' | 'end' | 'kick';

/** The user's mailbox is tidied as a user does: so many stay in it. */
const MOST_IN_MAILBOX = 300;
/** Dovecot gathers changes for half a second before it tells of them: one life in so many lasts until then. */
const LONG_LIFE_EVERY = 6;
const LONG_LIFE_MS = 700;
const SHORT_LIFE_MS = 150;
/** A kick starts a program, which takes its time: one in so many. */
const KICK_EVERY = 10;
/** After one cut in so many the next one comes without waiting for a sign-in: it hits a dial. */
const HASTY_EVERY = 3;

export async function startSoakWorld(random: () => number = Math.random): Promise<SoakWorld> {
  const dovecot = await startDovecot();
  const proxy = await startMailProxy(dovecot);
  const dns = await startDnsServer();
  const { host, port } = proxy;
  const { caFile, user, password } = dovecot;
  const makeMail = mailMaker(dns);
  /** What each mail is to be read as, by Message-ID. */
  const expected = new Map<string, string>();
  const cuts: Record<Cut, number> = { reset: 0, end: 0, kick: 0 };

  async function deliverUpTo(count: number): Promise<void> {
    while (expected.size < count) {
      const mail = await makeMail(expected.size);
      expected.set(mail.messageId, mail.outcome);
      await dovecot.deliver(mail.source);
    }
  }

  async function cut(turn: number): Promise<void> {
    const how = turn % KICK_EVERY === 0 ? 'kick' : turn % 2 === 0 ? 'reset' : 'end';
    cuts[how] += 1;
    if (how !== 'kick') proxy.cut(how);
    // It fails where nobody is signed in just then.
    else await dovecot.doveadm('kick', user).catch(() => proxy.cut('reset'));
  }

  async function tidy(): Promise<void> {
    const upTo = Math.max(1, expected.size - MOST_IN_MAILBOX);
    await dovecot.doveadm('expunge', '-u', user, 'mailbox', 'INBOX', 'uid', `1:${upTo}`);
  }

  /** One connection's life, from its sign-in until it is cut; it goes on until somebody has signed in after that. */
  async function live(turn: number, soaked: Soaked): Promise<void> {
    const signIns = soaked.signIns();
    await delay(random() * SHORT_LIFE_MS + (turn % LONG_LIFE_EVERY === 0 ? LONG_LIFE_MS : 0));
    await cut(turn);
    if (turn % HASTY_EVERY !== 0) await eventually(() => soaked.signIns() > signIns);
  }

  async function run(
    { reconnects, mails }: SoakSize,
    soaked: Soaked,
    onShare: (share: number) => Promise<void> = async () => undefined,
  ): Promise<SoakResult> {
    const untilQuiet = () =>
      eventually(() => [...expected.keys()].every((messageId) => soaked.outcomes.has(messageId)));
    await eventually(() => soaked.signIns() > 0);
    const first = soaked.signIns();
    const share = () => Math.min(1, (soaked.signIns() - first) / reconnects);
    await onShare(0);
    let turn = 0;
    for (let tenth = 1; tenth <= 10; tenth += 1) {
      for (; share() < tenth / 10; turn += 1) {
        await deliverUpTo(Math.round((share() + 1 / reconnects) * mails));
        await live(turn, soaked);
      }
      await untilQuiet();
      await tidy();
      await onShare(tenth / 10);
    }
    const wrong = [...expected].filter(([messageId, outcome]) => soaked.outcomes.get(messageId)?.join() !== outcome);
    return {
      mails: expected.size,
      reconnects: soaked.signIns() - first,
      cuts,
      wrong: wrong.map(([messageId]) => messageId),
    };
  }

  return {
    place: { host, port, caFile, user, password, dnsServer: dns.address },
    run,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await dns.close();
      await dovecot.close();
    },
  };
}

interface SoakMail {
  readonly source: Buffer;
  readonly messageId: string;
  /** What it is to be read as. */
  readonly outcome: string;
}

/** Every kind of mail, in every language, signed; but some ready notices are forged. */
function mailMaker(dns: DnsServer): (index: number) => Promise<SoakMail> {
  const key = createDkimKey();
  dns.setTxt(dkimRecordName(), key.dnsTxt);
  return async (index) => {
    const kind = EMAIL_KINDS[index % EMAIL_KINDS.length] ?? 'ready';
    const language = EMAIL_LANGUAGES[index % EMAIL_LANGUAGES.length] ?? 'en';
    const isForged = kind === 'ready' && index % 10 === 0;
    const messageId = `<soak-${index}@test>`;
    const source = await makeEmail({
      kind,
      language,
      to: 'ada@example.test',
      date: new Date(),
      messageId,
      ...(kind === 'ready' ? { link: linkOf(index) } : {}),
      dkim: isForged ? [] : [{ privateKeyPem: key.privateKeyPem }],
    });
    return { source, messageId, outcome: isForged ? 'refused' : outcomeOf(kind) };
  };
}

function outcomeOf(kind: EmailKind): string {
  return kind === 'ready' || kind === 'started' ? kind : 'unrelated';
}

function linkOf(index: number): string {
  const stamp = new Date(Date.now() - MINUTE_MS).toISOString().slice(0, 19).replace(/[T:]/g, '-');
  const id = `${'ab'.repeat(32)}-${stamp}-${index.toString(16).padStart(32, '0')}.zip`;
  return `https://chatgpt.com/backend-api/estuary/content?id=${id}&ts=1&p=de&cid=1&sig=${'ef'.repeat(32)}&v=0`;
}
