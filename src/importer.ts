import { assemble, journalPath } from './assembly.ts';
import { type Capture, type HandIn, openSqliteJournal, type Progress, whenEnded } from './capture/index.ts';
import type { Config } from './config/index.ts';
import { readHeartbeat } from './heartbeat.ts';
import { SECOND_MS, systemClock } from './lib/clock.ts';
import { ChatkeepError } from './lib/errors.ts';
import type { Logger } from './lib/logger.ts';

/** How long notifications may take at the end; what is left goes out with the next start. */
const DELIVERIES_MS = 10 * SECOND_MS;
const LOOK_EVERY_MS = SECOND_MS / 5;

export interface ImportOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onProgress: (file: HandIn, progress: Progress) => void;
}

/**
 * Takes archives in, one after the other: by this process; or, where the service has the directories, by the service.
 * Gives the captures that they became, ended, in the same order.
 *
 * @throws ChatkeepError `in-use` if something else than the service has the directories; the signal's reason
 */
export async function importFiles(files: readonly HandIn[], options: ImportOptions): Promise<Capture[]> {
  try {
    return await importHere(files, options);
  } catch (error) {
    if (!(error instanceof ChatkeepError) || error.class !== 'in-use') throw error;
    if ((await readHeartbeat(options.config.stateDir)) === undefined) throw error;
    return importByService(files, options);
  }
}

async function importHere(files: readonly HandIn[], options: ImportOptions): Promise<Capture[]> {
  const { config, logger, signal, onProgress } = options;
  await using assembly = await assemble(config, logger);
  const { conductor, dispatcher, journal } = assembly;
  const done = new AbortController();
  const running = conductor.run(AbortSignal.any([signal, done.signal]));
  try {
    const captures: Capture[] = [];
    for (const file of files) {
      const id = await conductor.intake.takeFile(file);
      const tell = () => {
        const progress = conductor.progress.get(id);
        if (progress !== undefined) onProgress(file, progress);
      };
      captures.push(await whenEnded(journal, id, systemClock, signal, tell));
    }
    return captures;
  } finally {
    done.abort();
    await running;
    await dispatcher.flush(AbortSignal.any([signal, AbortSignal.timeout(DELIVERIES_MS)]), {
      timeLimitMs: DELIVERIES_MS,
    });
  }
}

async function importByService(files: readonly HandIn[], options: ImportOptions): Promise<Capture[]> {
  const { config, signal } = options;
  await using journal = openSqliteJournal(journalPath(config));
  const captures: Capture[] = [];
  for (const file of files) {
    const handIn = await journal.handIn(file);
    let id = await journal.captureOfHandIn(handIn);
    for (; id === undefined; id = await journal.captureOfHandIn(handIn)) await systemClock.sleep(LOOK_EVERY_MS, signal);
    const watching = new AbortController();
    const shown = tellServiceProgress(file, id, options, watching.signal);
    captures.push(await whenEnded(journal, id, systemClock, signal).finally(() => watching.abort()));
    await shown;
  }
  return captures;
}

async function tellServiceProgress(
  file: HandIn,
  captureId: string,
  { config, onProgress }: ImportOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const work = (await readHeartbeat(config.stateDir))?.work.find(({ capture }) => capture === captureId);
    if (work !== undefined) onProgress(file, { ...work, total: work.total ?? undefined });
    await systemClock.sleep(SECOND_MS, signal).catch(() => {});
  }
}
