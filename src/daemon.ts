import { AfterCommit } from './after-commit.ts';
import { type Assembly, assemble, mailboxAccounts, nudgeSettings } from './assembly.ts';
import { isKept, type Search } from './capture/index.ts';
import { CatalogKeeper } from './cataloging.ts';
import { looksLikeExport } from './chatgpt/index.ts';
import type { Config, MailboxConfig } from './config/index.ts';
import { DeadMansSwitch } from './dead-mans-switch.ts';
import { DiskWatch } from './disk-watch/index.ts';
import { DropFolder } from './download/index.ts';
import {
  HEARTBEAT_EVERY_MS,
  type Heartbeat,
  judgeHealth,
  removeHeartbeat,
  TroubleMemory,
  WorkMemory,
  writeHeartbeat,
} from './heartbeat.ts';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './lib/clock.ts';
import { ChatkeepError, errorMessage } from './lib/errors.ts';
import type { Logger } from './lib/logger.ts';
import { count } from './lib/text.ts';
import { runTogether } from './lib/together.ts';
import type { openListeners } from './listening.ts';
import { LoginWatch, loginRecordIn, removeLoginRecord } from './login-watch/index.ts';
import { createSignIn, MailboxWatcher, type SignIn } from './mailbox/index.ts';
import { senderMarks } from './notice/index.ts';
import { NudgeWatch } from './nudge/index.ts';
import { createCopier } from './offsite-watch.ts';
import { OutageReporter } from './outages.ts';
import { Pruner } from './retention/index.ts';
import { listSnapshots } from './snapshot/index.ts';
import { realSurroundings, type Surroundings } from './surroundings.ts';
import { VerificationWatch } from './verification/index.ts';

/**
 * A mailbox may be searched rarely; nothing is wrong before three searches were missed, nor within ten minutes. Who has it
 * searched every few seconds wants to know sooner.
 */
const MISSED_SEARCHES = 3;
const SHORTEST_SILENCE_MS = 10 * MINUTE_MS;
const MISSED_QUICK_SEARCHES = 20;
/** A state may last for an hour, and be worth telling by then. */
const LOOK_FOR_OUTAGES_EVERY_MS = MINUTE_MS;
/** How soon after the moment people are reminded of an export that does not come. */
const REMIND_EVERY_MS = 10 * SECOND_MS;
/** Days count, not minutes; each look reads the list of snapshots. */
const NUDGE_EVERY_MS = HOUR_MS;
/** A disk that other programs fill may be full within the hour. */
const LOOK_AT_DISKS_EVERY_MS = 10 * MINUTE_MS;
/** Longer than any look-back, so that no message is taken for new again. */
const REMEMBER_MS = 60 * DAY_MS;
/** What is left to deliver at the end is delivered after the next start. */
const LAST_DELIVERIES_MS = SECOND_MS;

/**
 * Runs the service until the signal aborts: starts the parts in order (what keeps, what delivers, what watches), and
 * stops them in the opposite order. Work in hand is left in a state that the next start goes on from.
 *
 * @throws ChatkeepError `config` if there is nothing to watch; what {@link assemble} throws
 */
export async function runDaemon(
  config: Config,
  logger: Logger,
  signal: AbortSignal,
  surroundings: Surroundings = realSurroundings,
): Promise<void> {
  if (config.mailboxes.length === 0 && config.dropDir === undefined) {
    throw new ChatkeepError('config', 'There is nothing to watch: no mailbox and no drop folder is set.', {
      next: 'Set CHATKEEP_IMAP_HOST, CHATKEEP_IMAP_USER and CHATKEEP_IMAP_PASSWORD_FILE, or mailboxes in the YAML file, or drop_dir.',
    });
  }
  const { clock, random } = surroundings;
  const ways = config.mailboxes.map((mailbox) => ({ mailbox, signIn: createSignIn(mailbox, { clock }) }));
  const signIns = new Map(ways.map(({ mailbox, signIn }) => [mailbox.name, signIn]));
  const afterCommit = new AfterCommit({ mailboxes: config.mailboxes, signIns, clock, random, logger });
  const pruner = new Pruner({ policy: config.keep, stateDir: config.stateDir, clock, logger });
  const catalogKeeper = new CatalogKeeper({ config, clock, logger });
  await using assembly = await assemble(
    config,
    logger,
    {
      onCaptures: (captures) => {
        afterCommit.look(captures);
        if (captures.some(isKept)) for (const copier of copiers) copier.wake();
        if (config.prune === 'after_commit') pruner.look(captures);
        catalogKeeper.look(captures);
        deadMansSwitch.look(captures);
      },
    },
    surroundings,
  );
  const { conductor, dispatcher, journal, recorder, watchdog } = assembly;
  const copiers = config.offsite.map((place) => createCopier(place, config, { recorder, clock, random, logger }));
  const startedAt = clock.now();
  const watched = ways.map(({ mailbox, signIn }) => createWatcher(mailbox, signIn, assembly, surroundings, logger));
  const watchers = watched.map(({ watcher }) => watcher);
  const names = config.mailboxes.map(({ name }) => name);

  const works = new WorkMemory();
  const vitals = () => heartbeatOf(config, startedAt, watched, works, assembly, clock);
  const health = () => judgeHealth(vitals(), clock.now());
  const deadMansSwitch = new DeadMansSwitch({
    service: config.heartbeat.service.map((address) => surroundings.openHeartbeat(address)),
    captures: config.heartbeat.captures.map((address) => surroundings.openHeartbeat(address)),
    everyMs: config.heartbeat.everyMinutes * MINUTE_MS,
    health,
    begunBefore: (await journal.openCaptures()).map(({ id }) => id),
    clock,
    logger,
  });
  await using _listeners = await listen(config, assembly, vitals, { clock, logger, signal });
  const nudges = new NudgeWatch({
    ...assembly,
    backupDir: config.backupDir,
    accounts: mailboxAccounts(config),
    settings: nudgeSettings(config),
    clock,
  });
  const disks = new DiskWatch({ ...assembly, ...config, settings: config.disk, clock });

  logger.info({ mailboxes: names, backups: config.backupDir }, `watching ${whatIsWatched(config)}`);
  await mentionStrangers(config, logger);
  // A delivery in hand when the service stops is given a moment: cut off, it would be sent a second time.
  const delivering = new AbortController();
  const deliveries = dispatcher.run(delivering.signal);
  try {
    await runTogether(
      [
        (stop) => conductor.run(stop),
        (stop) => afterCommit.run(stop),
        ...copiers.map((copier) => (stop: AbortSignal) => copier.run(stop)),
        (stop) => pruner.run(assembly.backups, assembly.recorder, stop),
        (stop) => watchSnapshots(config, assembly, clock, logger, stop),
        (stop) => catalogKeeper.run(stop),
        (stop) => runDropFolder(config, assembly, clock, logger, stop),
        (stop) => watchLogins(config, assembly, surroundings, logger, stop),
        ...watchers.map((watcher) => (stop: AbortSignal) => watcher.run(stop)),
        (stop) => every(HEARTBEAT_EVERY_MS, clock, stop, logger, () => writeHeartbeat(config.stateDir, vitals())),
        (stop) =>
          every(LOOK_FOR_OUTAGES_EVERY_MS, clock, stop, logger, async () => {
            for (const { watcher, reporter } of watched) reporter.look(watcher.state);
          }),
        (stop) =>
          every(REMIND_EVERY_MS, clock, stop, logger, () =>
            watchdog.remind((mailbox) => lastSearchOf(watchers[names.indexOf(mailbox)])),
          ),
        (stop) => deadMansSwitch.run(stop),
        (stop) => every(NUDGE_EVERY_MS, clock, stop, logger, () => nudges.look()),
        (stop) =>
          every(LOOK_AT_DISKS_EVERY_MS, clock, stop, logger, async () => {
            // An export that is being taken in has room of its own, for a while.
            if (conductor.progress.size === 0) await disks.look();
          }),
        (stop) => every(12 * HOUR_MS, clock, stop, logger, () => journal.forget(clock.now() - REMEMBER_MS)),
      ],
      signal,
    );
  } finally {
    const limit = setTimeout(() => delivering.abort(), LAST_DELIVERIES_MS);
    await dispatcher.flush(delivering.signal, { timeLimitMs: LAST_DELIVERIES_MS });
    clearTimeout(limit);
    delivering.abort();
    await deliveries;
    await removeHeartbeat(config.stateDir);
  }
  logger.info('stopped');
}

/** What others keep in the backup directory is left alone; whoever put it there by mistake should know. */
async function mentionStrangers({ backupDir }: Config, logger: Logger): Promise<void> {
  const { strangers, damaged, damagedRecords } = await listSnapshots(backupDir);
  if (strangers.length > 0)
    logger.info({ strangers }, 'in the backup directory is what is not of Chatkeep; it is left alone');
  for (const { id, problem } of damaged) logger.warn({ snapshot: id }, `the snapshot ${id} is damaged: ${problem}`);
  for (const { path, problem } of damagedRecords) logger.warn({ path }, problem);
}

function whatIsWatched({ mailboxes, dropDir }: Config): string {
  const parts = [
    ...(mailboxes.length === 0 ? [] : [count(mailboxes.length, 'mailbox', 'mailboxes')]),
    ...(dropDir === undefined ? [] : ['the drop folder']),
  ];
  return parts.join(' and ');
}

/** A mailbox that is watched, and who takes notice of how it is. */
interface Watched {
  readonly watcher: MailboxWatcher;
  readonly reporter: OutageReporter;
  readonly troubles: TroubleMemory;
}

function createWatcher(
  mailbox: MailboxConfig,
  signIn: SignIn,
  { conductor, journal, recorder }: Assembly,
  surroundings: Surroundings,
  parent: Logger,
): Watched {
  const { clock, random } = surroundings;
  const logger = parent.child({ mailbox: mailbox.name });
  const reporter = new OutageReporter({ mailbox: mailbox.name, recorder, clock, logger });
  const troubles = new TroubleMemory();
  const watcher = new MailboxWatcher({
    config: mailbox,
    senders: senderMarks(),
    signIn,
    connect: surroundings.mailboxConnector(mailbox, signIn),
    seen: journal,
    onMessage: (message) => conductor.intake.takeMessage(message),
    onState: (state) => {
      troubles.look(state, clock.now());
      reporter.look(state);
    },
    clock,
    random,
    logger,
  });
  return { watcher, reporter, troubles };
}

async function runDropFolder(
  config: Config,
  { conductor, journal }: Assembly,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (config.dropDir === undefined) return;
  const folder = new DropFolder({ path: config.dropDir, isExportFolder: looksLikeExport, clock, logger });
  await folder.run(
    {
      onFile: async ({ path, name, key }) => {
        if (await journal.knowsFile(key)) return;
        await conductor.intake.takeFile({ path, name, key, afterwards: 'delete', account: config.account });
      },
      onPresent: (keys) => journal.forgetFilesBut(keys),
    },
    signal,
  );
}

async function watchSnapshots(
  { stateDir, verify }: Config,
  { backups, recorder, conductor }: Assembly,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (verify.everyDays === 0) return;
  const watch = new VerificationWatch({
    backups,
    stateDir,
    everyMs: verify.everyDays * DAY_MS,
    share: verify.samplePercent / 100,
    isBusy: () => conductor.progress.size > 0,
    recorder,
    clock,
    logger,
  });
  await watch.run(signal);
}

async function watchLogins(
  { stateDir, download }: Config,
  { source, recorder }: Assembly,
  { clock, random }: Surroundings,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (source.logins.length === 0 || download.checkLoginsHours === 0) return removeLoginRecord(stateDir);
  const watch = new LoginWatch({
    logins: source.logins,
    origin: source.loginOrigin,
    record: loginRecordIn(stateDir),
    everyMs: download.checkLoginsHours * HOUR_MS,
    recorder,
    clock,
    random,
    logger,
  });
  await watch.run(signal);
}

function heartbeatOf(
  config: Config,
  startedAt: number,
  watched: readonly Watched[],
  works: WorkMemory,
  { conductor }: Assembly,
  clock: Clock,
): Heartbeat {
  return {
    at: clock.now(),
    pid: process.pid,
    startedAt,
    mailboxes: config.mailboxes.map((mailbox, index) => {
      const { watcher, troubles } = watched[index] ?? {};
      return {
        name: mailbox.name,
        state: watcher?.state.name ?? 'stopped',
        lastAnswer: watcher?.lastAnswer ?? null,
        silenceLimit: silenceLimitOf(mailbox),
        ...(troubles?.current ?? { trouble: null, troubleSince: null }),
      };
    }),
    work: works.look(conductor.progress, clock.now()),
    lookedAt: conductor.lookedAt ?? null,
  };
}

/** Who has nothing listen for HTTP need not have in memory what would. */
async function listen(...what: Parameters<typeof openListeners>): Promise<AsyncDisposable> {
  const [{ listen: address, web }] = what;
  if (address === undefined && web === undefined) return new AsyncDisposableStack();
  const { openListeners } = await import('./listening.ts');
  return openListeners(...what);
}

/** Undefined before the first search of a mailbox has ended, and for one that is not watched. */
function lastSearchOf(watcher: MailboxWatcher | undefined): Search | undefined {
  return watcher?.readUpTo === undefined ? undefined : { at: watcher.readUpTo, folders: watcher.folders };
}

/** ms. */
function silenceLimitOf({ searchEveryMinutes }: MailboxConfig): number {
  const everyMs = searchEveryMinutes * MINUTE_MS;
  return Math.max(MISSED_SEARCHES * everyMs, Math.min(SHORTEST_SILENCE_MS, MISSED_QUICK_SEARCHES * everyMs));
}

/** Does `work` now and then; a failure is logged and changes nothing. */
async function every(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  logger: Logger,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch((error: unknown) => logger.warn(`housekeeping failed: ${errorMessage(error)}`));
    await clock.sleep(ms, signal).catch(() => {});
  }
}
