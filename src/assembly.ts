import { join } from 'node:path';
import {
  type Capture,
  Conductor,
  Intake,
  type Journal,
  type MailboxAccounts,
  openSqliteJournal,
  Recorder,
  Watchdog,
  Worker,
} from './capture/index.ts';
import type { Config } from './config/index.ts';
import {
  createLogins,
  Downloader,
  type DownloadPlace,
  type Login,
  loginOrigin,
  redirectOf,
  type Transport,
} from './download/index.ts';
import { DAY_MS, SECOND_MS } from './lib/clock.ts';
import { asStorageError, ChatkeepError } from './lib/errors.ts';
import { exists, makePrivateDirectory } from './lib/files.ts';
import { lockDirectory } from './lib/lock.ts';
import type { Logger } from './lib/logger.ts';
import { Mutex } from './lib/mutex.ts';
import { readQuietHours } from './lib/quiet-hours.ts';
import { downloadPlaces, readNotice } from './notice/index.ts';
import { Dispatcher, isWanted, type Subscription, tellsOf } from './notify/index.ts';
import type { NudgeSettings } from './nudge/index.ts';
import { type BackupDirectory, openBackupDirectory } from './snapshot/index.ts';
import { StockTaker } from './stock-taker.ts';
import { realSurroundings, type Surroundings } from './surroundings.ts';

/** The parts of a working Chatkeep, but for what watches the outside. */
export interface Assembly extends AsyncDisposable {
  readonly journal: Journal;
  readonly conductor: Conductor;
  readonly dispatcher: Dispatcher;
  readonly recorder: Recorder;
  readonly watchdog: Watchdog;
  readonly source: Source;
  readonly backups: BackupDirectory;
}

/** Where exports come from, and the way there. */
export interface Source extends AsyncDisposable {
  readonly transport: Transport;
  readonly places: readonly DownloadPlace[];
  readonly logins: readonly Login[];
  /** Where the logins are tried out. */
  readonly loginOrigin: URL;
}

export interface AssemblyHooks {
  /** Told of captures that are new or have changed, once that is recorded. */
  readonly onCaptures?: (captures: readonly Capture[]) => void;
}

const BYTES_PER_GB = 1e9;
const BYTES_PER_MB = 1e6;

/** What every backup directory holds once it was opened. */
const MARK_OF_A_BACKUP_DIRECTORY = '.chatkeep';

/** Where the journal lies. */
export function journalPath(config: Config): string {
  return join(config.stateDir, 'journal.sqlite');
}

/** Opens the network to where exports come from, with the logins of the configuration. */
export async function openSource(config: Config, surroundings = realSurroundings): Promise<Source> {
  const { download } = config;
  const places = downloadPlaces(download.extraOrigins);
  const transport = await surroundings.openTransport(places, config);
  return {
    transport,
    places,
    logins: createLogins(download.logins, { transport }),
    loginOrigin: loginOrigin(places),
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

/** How long after an export was asked for people are told that it has not come, ms, ascending. */
export function remindersOf(config: Config): number[] {
  return config.notices.startedReminderDays.map((days) => days * DAY_MS);
}

/** When people are reminded of asking for an export. */
export function nudgeSettings({ reminder }: Config): NudgeSettings {
  const { afterDays, againDays, except } = reminder;
  return { afterMs: afterDays * DAY_MS, againMs: againDays * DAY_MS, except };
}

/** The accounts that exports of each mailbox are likely to be kept under. */
export function mailboxAccounts(config: Config): MailboxAccounts {
  return new Map(
    config.mailboxes.map(({ name, user, account = config.account }) => [
      name,
      [name, user, ...(account === undefined ? [] : [account])],
    ]),
  );
}

/**
 * Builds the parts from the configuration and takes both directories for this process.
 * @throws ChatkeepError `in-use`, `storage` or `config`
 */
export async function assemble(
  config: Config,
  logger: Logger,
  hooks: AssemblyHooks = {},
  surroundings: Surroundings = realSurroundings,
): Promise<Assembly> {
  const { clock, random } = surroundings;
  await using stack = new AsyncDisposableStack();

  const subscriptions = subscriptionsOf(config, surroundings);
  const downloads = join(config.stateDir, 'downloads');
  await makePrivateDirectory(downloads).catch((error: unknown) => {
    const trouble = asStorageError(error, 'make the state directory', config.stateDir);
    throw trouble instanceof ChatkeepError
      ? trouble
      : new ChatkeepError('storage', `The state directory ${config.stateDir} cannot be made.`, { cause: error });
  });
  stack.use(await lockDirectory(config.stateDir, 'state directory'));
  const journal = stack.use(openSqliteJournal(journalPath(config)));
  await refuseEmptiedDirectory(config.backupDir, journal);
  const backups = stack.use(await openBackupDirectory(config.backupDir, { logger }));
  const recipients = [...new Set(subscriptions.map(({ service }) => service.id))];
  await journal.readdress(recipients);

  const source = stack.use(await openSource(config, surroundings));
  const { transport, places, logins } = source;
  const downloader = new Downloader({
    transport,
    places,
    logins,
    stallMs: config.download.stallSeconds * SECOND_MS,
    connections: config.download.connections,
    bytesPerSecond: bytesPerSecondOf(config),
    clock,
    logger,
  });

  const dispatcher = new Dispatcher({
    outbox: journal,
    subscriptions,
    tellOthers: (message) => recorder.record({ messages: [message] }),
    clock,
    random,
    logger,
  });
  const recorder = new Recorder({
    journal,
    recipientsOf: (message) =>
      recipients.filter((id) =>
        subscriptions.some(
          ({ service, wishes }) => service.id === id && isWanted(message, wishes) && !tellsOf(message, id),
        ),
      ),
    onRecorded: ({ captures = [] }) => {
      conductor.wake();
      dispatcher.wake();
      hooks.onCaptures?.(captures);
    },
  });
  const watchdog = new Watchdog({
    journal,
    recorder,
    backups,
    reminders: remindersOf(config),
    accounts: mailboxAccounts(config),
    clock,
    logger,
  });
  const budgets = {
    maxEntries: config.archive.maxEntries,
    maxUnpackedBytes: config.archive.maxUnpackedGb * BYTES_PER_GB,
    maxRatio: config.archive.maxRatio,
  };
  const stock = new StockTaker({
    backupDir: backups.path,
    stateDir: config.stateDir,
    takeStock: surroundings.takeStock,
    compareStock: surroundings.compareStock,
    logger,
  });
  await stock.sweep(clock.now());
  const settings = { remindHoursLeft: config.download.remindHoursLeft, dropDir: config.dropDir };
  const resolveTxt = surroundings.txtResolver(config);
  const conductor = new Conductor({
    journal,
    downloads,
    clock,
    random,
    logger,
    loginsFingerprint: () => downloader.loginsFingerprint(),
    intake: ({ interrupt }) =>
      new Intake({
        journal,
        recorder,
        backups,
        watchdog,
        budgets,
        settings,
        clock,
        random,
        logger,
        interrupt,
        accountOf: (mailbox) => mailboxNamed(config, mailbox)?.account ?? config.account,
        readMessage: async (message) => {
          if (message.source === undefined) return { kind: 'unrelated', why: `too large (${message.bytes} bytes)` };
          return readNotice(
            { source: message.source, receivedAt: message.receivedAt },
            {
              extraOrigins: config.download.extraOrigins,
              authenticity: config.notices.authenticity,
              authservId: mailboxNamed(config, message.mailbox)?.authservId,
              resolveTxt,
              followRedirect: (address, signal) => redirectOf(transport, address, signal),
              now: clock.now(),
            },
          );
        },
      }),
    worker: (workerHooks) =>
      new Worker({
        ...workerHooks,
        recorder,
        backups,
        downloader,
        downloads,
        budgets,
        settings,
        stock,
        unpacking: new Mutex(),
        clock,
        random,
        logger,
      }),
  });

  const parts = stack.move();
  return {
    journal,
    conductor,
    dispatcher,
    recorder,
    watchdog,
    source,
    backups,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** The addresses of the configuration, with what is to be brought to each. */
export function subscriptionsOf(
  { notify }: Config,
  { openServices }: Pick<Surroundings, 'openServices'>,
): Subscription[] {
  return notify.flatMap(({ url, events, minLevel, quietHours }) => {
    const wishes = { events, minLevel, quietHours: quietHours === undefined ? undefined : readQuietHours(quietHours) };
    return openServices(url).map((service) => ({ service, wishes }));
  });
}

function bytesPerSecondOf({ download: { maxMbPerSecond } }: Config): number | undefined {
  return maxMbPerSecond === undefined ? undefined : maxMbPerSecond * BYTES_PER_MB;
}

/** A mount point without its disk looks like a new backup directory, and the next snapshot would hide below the mount. */
async function refuseEmptiedDirectory(backupDir: string, journal: Journal): Promise<void> {
  if (!(await journal.knowsSnapshot())) return;
  // What else may be wrong with the path is told when the directory is opened.
  if (await exists(join(backupDir, MARK_OF_A_BACKUP_DIRECTORY)).catch(() => true)) return;
  throw new ChatkeepError(
    'storage',
    `The backup directory ${backupDir} is empty, and yet snapshots were committed to it: is the disk mounted?`,
    { next: 'Mount it; or, if the backups were moved away on purpose, start with another state_dir.' },
  );
}

function mailboxNamed(config: Config, name: string): Config['mailboxes'][number] | undefined {
  return config.mailboxes.find((mailbox) => mailbox.name === name);
}
