import { access, constants } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import { assemble, journalPath } from '../assembly.ts';
import { type Capture, type Journal, openSqliteJournal, type Progress, whenEnded } from '../capture/index.ts';
import type { Config } from '../config/index.ts';
import { readHeartbeat } from '../heartbeat.ts';
import { SECOND_MS, systemClock } from '../lib/clock.ts';
import { ChatkeepError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { loadForCommand, loggerFor, stopSignal } from './context.ts';
import { type ProgressDisplay, printJson, printLine, progressDisplay } from './output.ts';

/** How long notifications may take at the end; what is left goes out with the next start. */
const DELIVERIES_MS = 10 * SECOND_MS;
const LOOK_EVERY_MS = SECOND_MS / 5;

interface Result {
  readonly file: string;
  readonly capture: string;
  readonly outcome: Capture['state']['name'];
  readonly snapshot: string | null;
  readonly reason: string | null;
}

/** `chatkeep import FILE…`: archives that are on disk already. */
export function importCommand(): Command {
  return new Command('import')
    .description('take in export ZIPs that are on disk already; the files stay where they are')
    .argument('<files...>', 'ZIP files as ChatGPT gives them')
    .option(
      '--account <name>',
      'the directory below the backup directory; else as configured, else the e-mail in the export',
    )
    .option('--json', 'print the results as JSON')
    .action(async (files: string[], options: { account?: string; json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const logger = await loggerFor(command, { ...config, log: { ...config.log, level: 'warn' } }, 2);
      await Promise.all(files.map(assertReadable));
      const display = options.json === true ? undefined : progressDisplay();
      const handIns = files.map((file) => ({
        path: resolve(file),
        name: basename(file),
        afterwards: 'keep' as const,
        account: options.account ?? config.account,
      }));
      const results = await importFiles(config, logger, handIns, display, stopSignal());
      if (options.json === true) printJson(results);
      else for (const result of results) printLine(sentence(result));
      if (results.some(({ outcome }) => outcome === 'refused')) {
        throw new ChatkeepError(
          'refused',
          'Not every file could be taken in; those that were refused are named above.',
        );
      }
    });
}

type File = Parameters<Journal['handIn']>[0];

/** By this process; or, where the service has the directories, by the service. */
async function importFiles(
  config: Config,
  logger: Logger,
  files: readonly File[],
  display: ProgressDisplay | undefined,
  signal: AbortSignal,
): Promise<Result[]> {
  try {
    return await importHere(config, logger, files, display, signal);
  } catch (error) {
    if (!(error instanceof ChatkeepError) || error.class !== 'in-use') throw error;
    if ((await readHeartbeat(config.stateDir)) === undefined) throw error;
    return importByService(config, files, display, signal);
  } finally {
    display?.stop();
  }
}

async function importHere(
  config: Config,
  logger: Logger,
  files: readonly File[],
  display: ProgressDisplay | undefined,
  signal: AbortSignal,
): Promise<Result[]> {
  await using assembly = await assemble(config, logger);
  const { conductor, dispatcher, journal } = assembly;
  const done = new AbortController();
  const running = conductor.run(AbortSignal.any([signal, done.signal]));
  try {
    const results: Result[] = [];
    for (const file of files) {
      const id = await conductor.intake.takeFile(file);
      const capture = await whenEnded(journal, id, systemClock, signal, () =>
        show(display, file.name, conductor.progress.get(id)),
      );
      results.push(resultOf(file.path, capture));
    }
    return results;
  } finally {
    done.abort();
    await running;
    await dispatcher.flush(signal.aborted ? AbortSignal.abort() : AbortSignal.timeout(DELIVERIES_MS), {
      timeLimitMs: DELIVERIES_MS,
    });
  }
}

async function importByService(
  config: Config,
  files: readonly File[],
  display: ProgressDisplay | undefined,
  signal: AbortSignal,
): Promise<Result[]> {
  await using journal = openSqliteJournal(journalPath(config));
  const results: Result[] = [];
  for (const file of files) {
    const handIn = await journal.handIn(file);
    let id = await journal.captureOfHandIn(handIn);
    for (; id === undefined; id = await journal.captureOfHandIn(handIn)) await systemClock.sleep(LOOK_EVERY_MS, signal);
    const captureId = id;
    const watching = new AbortController();
    const shown = showServiceProgress(config, file.name, captureId, display, watching.signal);
    const capture = await whenEnded(journal, captureId, systemClock, signal).finally(() => watching.abort());
    await shown;
    results.push(resultOf(file.path, capture));
  }
  return results;
}

async function showServiceProgress(
  config: Config,
  name: string,
  captureId: string,
  display: ProgressDisplay | undefined,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const work = (await readHeartbeat(config.stateDir))?.work.find(({ capture }) => capture === captureId);
    if (work !== undefined) show(display, name, { ...work, total: work.total ?? undefined });
    await systemClock.sleep(SECOND_MS, signal).catch(() => {});
  }
}

function show(display: ProgressDisplay | undefined, name: string, progress: Progress | undefined): void {
  if (progress !== undefined) display?.update(`${progress.phase} ${name}`, progress.done, progress.total);
}

function resultOf(file: string, { id, state }: Capture): Result {
  return {
    file,
    capture: id,
    outcome: state.name,
    snapshot: state.name === 'committed' ? state.snapshot : state.name === 'duplicate' ? state.of : null,
    reason: state.name === 'refused' ? state.reason : null,
  };
}

function sentence({ file, outcome, snapshot, reason }: Result): string {
  switch (outcome) {
    case 'committed':
      return `${file}: kept as ${snapshot}`;
    case 'duplicate':
      return `${file}: the same export was kept before as ${snapshot}; no second snapshot was made`;
    case 'refused':
      return `${file}: refused. ${reason}`;
    default:
      return `${file}: ${outcome}`;
  }
}

async function assertReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    throw new ChatkeepError('not-found', `The file ${file} does not exist or may not be read.`, {
      cause: error,
      next: 'Check the path; in a container it must be a path inside the container.',
    });
  }
}
