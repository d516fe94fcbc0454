import {
  type Awaited,
  type Capture,
  type Journal,
  type MailboxAccounts,
  type Recorder,
  stillAwaited,
  type Told,
} from '../capture/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Message } from '../notify/index.ts';
import { type KeptExport, keptExports, listSnapshots } from '../snapshot/index.ts';
import { noFirstSnapshot, noNewSnapshot } from './messages.ts';
import { type NudgeFacts, type NudgeRecord, nextNudge, stepNudge } from './nudge.ts';
import { type Counted, growthOf } from './rhythm.ts';

export interface NudgeSettings {
  /** After how long without a new snapshot people are reminded, ms; 0: never. */
  readonly afterMs: number;
  /** How long after a reminder the next one comes, ms. */
  readonly againMs: number;
  /** Accounts that nobody is reminded of. */
  readonly except: readonly string[];
}

export interface NudgeWatchOptions {
  readonly journal: Pick<Journal, 'openCaptures' | 'awaited' | 'toldOf'>;
  readonly recorder: Pick<Recorder, 'record'>;
  readonly backupDir: string;
  readonly accounts: MailboxAccounts;
  readonly settings: NudgeSettings;
  readonly clock: Clock;
}

/** What the reminders of an account go by; without a name where there is no snapshot of any. */
interface AccountState extends NudgeFacts {
  readonly account: string | undefined;
  readonly messagesPerWeek: number | undefined;
}

/** Reminds people of asking for an export, account by account; each reminder once, over restarts, too. */
export class NudgeWatch {
  readonly #options: NudgeWatchOptions;

  constructor(options: NudgeWatchOptions) {
    this.#options = options;
  }

  /**
   * To be called now and then.
   * @throws what the journal throws; ChatkeepError where the backup directory cannot be read
   */
  async look(): Promise<void> {
    const { journal, recorder, backupDir, accounts, settings, clock } = this.#options;
    if (settings.afterMs === 0) return;
    const kept = keptExports(await listSnapshots(backupDir));
    const [open, awaited] = [await journal.openCaptures(), await journal.awaited()];
    for (const state of accountStates({ kept, open, awaited, accounts, except: settings.except })) {
      const subject = subjectOf(state);
      const last = recordOf(await journal.toldOf(subject));
      const now = clock.now();
      const { record, remind } = stepNudge(last, state, { ...settings, now });
      if (record === undefined || record === last) continue;
      const messages = remind ? [messageOf(state, settings.againMs, now)] : [];
      await recorder.record({ told: [{ subject, ...record }], messages });
    }
  }
}

/** What is known of exports and captures. */
export interface Known {
  /** Oldest first. */
  readonly kept: readonly KeptExport[];
  readonly open: readonly Capture[];
  readonly awaited: readonly Awaited[];
  readonly accounts: MailboxAccounts;
}

/** When people are reminded next, ms UTC, and of which account; nothing of those that an export is under way for. */
export async function upcomingNudges(
  known: Known,
  journal: Pick<Journal, 'toldOf'>,
  settings: NudgeSettings,
  now: number,
): Promise<{ readonly account: string | undefined; readonly at: number }[]> {
  if (settings.afterMs === 0) return [];
  const idle = accountStates({ ...known, except: settings.except }).filter(({ underWay }) => !underWay);
  return Promise.all(
    idle.map(async (state) => {
      const last = recordOf(await journal.toldOf(subjectOf(state)));
      return { account: state.account, at: nextNudge(last, state, { ...settings, now }) };
    }),
  );
}

function accountStates({ kept, open, awaited, accounts, except }: Known & Pick<NudgeSettings, 'except'>) {
  const waiting = stillAwaited(awaited, kept, accounts);
  if (kept.length === 0) {
    return [
      {
        account: undefined,
        newestAt: undefined,
        messagesPerWeek: undefined,
        underWay: open.length + waiting.length > 0,
      },
    ];
  }
  return [...Map.groupBy(kept, ({ snapshot }) => snapshot.account)]
    .filter(([account]) => !except.some((name) => isSame(name, account)))
    .map(([account, exports]): AccountState => {
      const mailboxes = mailboxesOf(account, accounts);
      return {
        account,
        newestAt: exports.at(-1)?.meta.exportTime,
        messagesPerWeek: growthOf(exports.map(countedIn)),
        underWay:
          open.some((capture) => mayBeOf(capture, account, mailboxes)) ||
          waiting.some(({ mailbox }) => mailboxes.includes(mailbox)),
      };
    });
}

/** An unchanged export holds as many messages as its snapshot. */
function countedIn({ meta, snapshot }: KeptExport): Counted {
  return { meta: { exportTime: meta.exportTime, counts: snapshot.meta.counts } };
}

/** The mailboxes that an account's exports may come through: its own, or any where none is known to be. */
function mailboxesOf(account: string, accounts: MailboxAccounts): string[] {
  const own = [...accounts].filter(([, names]) => names.some((name) => isSame(name, account)));
  return (own.length > 0 ? own : [...accounts]).map(([mailbox]) => mailbox);
}

function mayBeOf(capture: Capture, account: string, mailboxes: readonly string[]): boolean {
  if (capture.account !== undefined) return isSame(capture.account, account);
  return capture.origin.kind === 'file' || mailboxes.includes(capture.origin.mailbox);
}

function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase();
}

function subjectOf({ account }: AccountState): string {
  return account === undefined ? 'nudge' : `nudge ${account}`;
}

const WHATS: readonly NudgeRecord['what'][] = ['first-seen', 'under-way', 'nudged'];

/** A word that is not known is of a later version; at worst something is told twice. */
function recordOf(told: Told | undefined): NudgeRecord | undefined {
  const what = WHATS.find((word) => word === told?.what);
  return told === undefined || what === undefined ? undefined : { what, at: told.at };
}

function messageOf({ account, newestAt, messagesPerWeek }: AccountState, againMs: number, now: number): Message {
  return account === undefined || newestAt === undefined
    ? noFirstSnapshot(againMs, now)
    : noNewSnapshot({ account, newestAt, messagesPerWeek }, againMs, now);
}
