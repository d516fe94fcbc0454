import { Command } from 'commander';
import type { Config } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { ChatkeepError, errorMessage } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { createTool, OffsiteError, offsiteDirectory } from '../offsite/index.ts';
import { createCopier } from '../offsite-watch.ts';
import { loadForCommand, loggerFor, stopSignal } from './context.ts';
import { printLine, progressDisplay } from './output.ts';

/** `chatkeep offsite`: what the service does with the copies elsewhere, at once and by hand. */
export function offsiteCommand(): Command {
  return new Command('offsite')
    .description(
      'see to the copies elsewhere (`offsite` in the configuration) at once; `chatkeep status` tells how they are',
    )
    .addCommand(
      new Command('init')
        .description('make the places ready that are not yet: a new restic repository, a folder')
        .argument('[names...]', 'as they are called in the configuration; else all')
        .action((names: string[], _options: object, command: Command) => initPlaces(names, command)),
    )
    .addCommand(
      new Command('run')
        .description('copy what is missing, whether it is time or not')
        .argument('[names...]', 'as they are called in the configuration; else all')
        .action((names: string[], _options: object, command: Command) =>
          work(names, { copy: true, check: false }, command),
        ),
    )
    .addCommand(
      new Command('check')
        .description('check a sample of what is there; exit code 3 tells of damage')
        .argument('[names...]', 'as they are called in the configuration; else all')
        .action((names: string[], _options: object, command: Command) =>
          work(names, { copy: false, check: true }, command),
        ),
    );
}

async function initPlaces(names: readonly string[], command: Command): Promise<void> {
  const { config } = await loadForCommand(command);
  const signal = stopSignal();
  const failed: string[] = [];
  for (const place of chosen(config, names)) {
    const tool = createTool(place, {
      backups: config.backupDir,
      scratch: offsiteDirectory(config.stateDir, place.name),
    });
    try {
      await tool.init({ signal, onProgress: () => {} });
      printLine(`${place.name}: ready`);
    } catch (error) {
      if (!(error instanceof OffsiteError)) throw error;
      failed.push(place.name);
      printLine(`${place.name}: not ready. ${errorMessage(error)}`);
    }
  }
  throwIfFailed(failed);
}

async function work(
  names: readonly string[],
  what: { readonly copy: boolean; readonly check: boolean },
  command: Command,
): Promise<void> {
  const { config } = await loadForCommand(command);
  const signal = stopSignal();
  const [failed, damaged]: [string[], string[]] = [[], []];
  const logger = await quietLogger(command, config);
  for (const place of chosen(config, names)) {
    const { name } = place;
    const display = progressDisplay();
    const onProgress = (done: number, total: number) => display.update(`copying to ${name}`, done, total);
    const copier = createCopier(place, config, {
      recorder: NOBODY_TO_TELL,
      clock: systemClock,
      random: Math.random,
      logger,
    });
    const { record, missing } = await copier.doNow(what, { signal, onProgress }).finally(() => display.stop());
    if (record.trouble !== null) failed.push(name);
    else if (what.check && record.damage !== null) damaged.push(name);
    printLine(
      `${name}: ${record.trouble ?? (what.copy ? (missing === 0 ? 'all snapshots are there' : `${missing} snapshots are not there`) : (record.damage ?? 'sound'))}`,
    );
  }
  if (damaged.length > 0) {
    throw new ChatkeepError('damaged', `What is kept off-site is not sound: ${damaged.join(', ')}.`, {
      next: 'The backup directory itself is not concerned: run `chatkeep offsite run`, which copies again what is wanting; see docs/how-to/offsite.md.',
    });
  }
  throwIfFailed(failed);
}

function chosen(config: Config, names: readonly string[]): Config['offsite'] {
  if (config.offsite.length === 0) {
    throw new ChatkeepError('config', 'No place for off-site copies is configured.', {
      next: 'Set offsite in the configuration; docs/how-to/offsite.md says how.',
    });
  }
  for (const name of names) {
    if (config.offsite.some((place) => place.name === name)) continue;
    const known = config.offsite.map((place) => place.name).join(', ');
    throw new ChatkeepError('not-found', `No off-site copy is called "${name}".`, { next: `There are: ${known}.` });
  }
  return config.offsite.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** The service tells people; who runs a command sees it. */
const NOBODY_TO_TELL = { record: async () => {} };

function quietLogger(command: Command, config: Config): Promise<Logger> {
  return loggerFor(command, { ...config, log: { ...config.log, level: 'fatal' } }, 2);
}

function throwIfFailed(failed: readonly string[]): void {
  if (failed.length === 0) return;
  throw new ChatkeepError('storage', `Not every off-site copy could be seen to: ${failed.join(', ')}.`, {
    next: 'Mend what is said above and run the same command again; a running service goes on by itself.',
  });
}
