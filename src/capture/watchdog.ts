import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { Mutex } from '../lib/mutex.ts';
import type { Message } from '../notify/index.ts';
import { type BackupDirectory, type KeptExport, keptExports, listSnapshots } from '../snapshot/index.ts';
import {
  type Awaited,
  type AwaitedEvent,
  came,
  nothingAwaited,
  reminderDueAt,
  type Search,
  stepAwaited,
} from './awaited.ts';
import type { Journal } from './journal.ts';
import type { Recorder } from './recorder.ts';

export interface WatchdogOptions {
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly backups: Pick<BackupDirectory, 'path'>;
  /** How long after an export was asked for people are told that it has not come, ms, ascending; none: never. */
  readonly reminders: readonly number[];
  readonly accounts: MailboxAccounts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Every mailbox by its name, with the accounts that its exports are likely to be kept under. */
export type MailboxAccounts = ReadonlyMap<string, readonly string[]>;

/** What is to be recorded: what is awaited now, if that has changed, and what people are told. */
export interface AwaitedChange {
  readonly awaited: Awaited | undefined;
  readonly messages: readonly Message[];
}

/** Tells people of exports that were asked for and do not come. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  /** What is awaited is read, changed and recorded by one at a time. */
  readonly #changing = new Mutex();

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Works an event into what is awaited in a mailbox; `record` records that, in one transaction with what caused it. */
  take(
    mailbox: string,
    provider: string,
    event: AwaitedEvent,
    record: (change: AwaitedChange) => Promise<void>,
  ): Promise<void> {
    const { journal, clock, reminders } = this.#options;
    return this.#changing.run(async () => {
      const before = (await journal.awaitedIn(mailbox, provider)) ?? nothingAwaited(mailbox, provider);
      const { awaited, messages } = stepAwaited(before, event, { now: clock.now(), reminders });
      await record({ awaited: awaited === before ? undefined : awaited, messages });
    });
  }

  /**
   * Reminds people of what is due. To be called now and then.
   *
   * @param searchOf the last search through a mailbox; undefined if there was none: nobody can say then what has not come
   */
  async remind(searchOf: (mailbox: string) => Search | undefined): Promise<void> {
    const { journal, backups, accounts, reminders } = this.#options;
    const due = (await journal.awaited()).flatMap((each) => {
      const search = searchOf(each.mailbox);
      const dueAt = reminderDueAt(each, reminders) ?? Number.POSITIVE_INFINITY;
      return search !== undefined && search.at >= dueAt ? [{ ...each, search }] : [];
    });
    if (due.length === 0) return;
    const kept = keptExports(await listSnapshots(backups.path));
    for (const { mailbox, provider, search } of due) {
      const at = handedInAt(mailbox, kept, accounts);
      if (at !== undefined) await this.#record(mailbox, provider, { kind: 'came', at });
      await this.#record(mailbox, provider, { kind: 'searched', ...search });
    }
  }

  async #record(mailbox: string, provider: string, event: AwaitedEvent): Promise<void> {
    const { recorder, logger } = this.#options;
    await this.take(mailbox, provider, event, async (change) => {
      if (change.awaited === undefined) return;
      await recorder.record(change);
      if (change.messages.length > 0) logger.warn({ mailbox }, 'an export that was asked for has not come');
    });
  }
}

/** What is still awaited when files that were handed in count, too: the journal hears of these when a reminder is due. */
export function stillAwaited(
  awaited: readonly Awaited[],
  kept: readonly KeptExport[],
  accounts: MailboxAccounts,
): Awaited[] {
  return awaited
    .filter(({ mailbox }) => accounts.has(mailbox))
    .map((each) => {
      const at = handedInAt(each.mailbox, kept, accounts);
      return at === undefined ? each : came(each, at);
    })
    .filter(({ requests }) => requests.length > 0);
}

/**
 * When the newest export was made that a person handed in and that may be the one awaited in this mailbox, ms UTC: its
 * account is one of this mailbox, or of none.
 */
function handedInAt(mailbox: string, kept: readonly KeptExport[], accounts: MailboxAccounts): number | undefined {
  const handedIn = kept.filter(({ meta }) => {
    const mailboxes = [...accounts].filter(([, names]) => names.some((name) => isSame(name, meta.account)));
    const mayBeOurs = mailboxes.length === 0 || mailboxes.some(([name]) => name === mailbox);
    return meta.source.kind === 'file' && mayBeOurs;
  });
  return handedIn.at(-1)?.meta.exportTime;
}

function isSame(account: string, other: string): boolean {
  return account.toLowerCase() === other.toLowerCase();
}
