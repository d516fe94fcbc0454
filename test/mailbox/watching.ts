import { setTimeout as delay } from 'node:timers/promises';
import type { MailboxConfig, MailboxSignIn } from '../../src/config/index.ts';
import { Secret } from '../../src/lib/secret.ts';
import {
  createSignIn,
  type ImapLimits,
  imapConnector,
  type MailboxState,
  MailboxWatcher,
} from '../../src/mailbox/index.ts';
import type { Dovecot } from '../support/dovecot.ts';
import { type MailboxPlace, mailboxConfig, SeenInMemory } from './fake-server.ts';

const WAIT_MOST_MS = 30_000;

/** The settings that lead to a server. */
export function settingsFor(
  server: Pick<Dovecot, 'host' | 'port' | 'user' | 'password'> & { readonly caFile?: string },
  overrides: Partial<MailboxPlace> = {},
  signIn: MailboxSignIn = { password: new Secret(server.password) },
): MailboxConfig {
  const { host, port, caFile, user } = server;
  return mailboxConfig({ host, port, user, ...(caFile === undefined ? {} : { caFile }), ...overrides }, signIn);
}

export interface Watching extends AsyncDisposable {
  readonly watcher: MailboxWatcher;
  readonly seen: SeenInMemory;
  readonly states: readonly MailboxState[];
  readonly stop: () => Promise<void>;
  /** Message-IDs of what was handed on, without angle brackets and `@test`. */
  names(): string[];
}

/** Watches a mailbox with the real driver until it is disposed of. It waits as shortly as it ever does between dials. */
export function watchMailbox(config: MailboxConfig, limits: Partial<ImapLimits> = {}): Watching {
  const seen = new SeenInMemory();
  const states: MailboxState[] = [];
  const abort = new AbortController();
  const signIn = createSignIn(config);
  const watcher = new MailboxWatcher({
    config,
    senders: ['openai'],
    signIn,
    connect: imapConnector(config, { signIn, limits }),
    seen,
    onMessage: seen.take,
    onState: (state) => states.push(state),
    random: () => 0,
  });
  const run = watcher.run(abort.signal);
  const stop = async () => {
    abort.abort();
    await run;
  };
  return {
    watcher,
    seen,
    states,
    stop,
    names: () => seen.taken.map(({ messageId }) => messageId?.slice(1, -6) ?? ''),
    [Symbol.asyncDispose]: stop,
  };
}

/** Resolves when the condition holds; rejects after a time that only what hangs needs. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MOST_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await delay(20);
  }
}

/** Resolves when the first search of a connection is over. */
export function untilWatching({ watcher }: Watching): Promise<void> {
  return until('the first search', () => watcher.state.name === 'watching');
}

/** What a waiting watcher waits for. */
export function troubleOf({ watcher }: Watching): { kind: string; detail: string } {
  const { state } = watcher;
  if (state.name !== 'waiting') throw new Error(`The watcher is ${state.name}.`);
  return state.trouble;
}

/** A mail that the search finds, unless it is from somebody else. */
export function email(name: string, { from = 'OpenAI <noreply@tm.openai.com>', bytes = 0 } = {}): string {
  const filling = 'x'
    .repeat(76)
    .concat('\r\n')
    .repeat(Math.ceil(bytes / 78));
  return `From: ${from}\r\nSubject: ${name}\r\nMessage-ID: <${name}@test>\r\n\r\n${name}\r\n${filling}`;
}
