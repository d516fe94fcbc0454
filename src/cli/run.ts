import { Command } from 'commander';
import { runDaemon } from '../daemon.ts';
import { version } from '../lib/version.ts';
import { loadForCommand, loggerFor, stopSignal } from './context.ts';
import { explainFirstStart } from './first-start.ts';

/** Stopping has to be over by then: Docker kills after ten seconds, some supervisors after five. */
const STOP_WITHIN_MS = 4_500;

/** `chatkeep run`: the service. */
export function runCommand(): Command {
  return new Command('run')
    .description('run the service: watch the mailboxes and the drop folder until it is stopped')
    .action(async (_options: unknown, command: Command) => {
      await explainFirstStart(command);
      const { config, warnings } = await loadForCommand(command);
      const logger = await loggerFor(command, config, 1);
      const signal = stopSignal();
      signal.addEventListener('abort', () => {
        logger.info('stopping; work in hand goes on at the next start');
        setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref();
      });
      logger.info({ version: await version(), node: process.version }, 'Chatkeep starts');
      for (const warning of warnings) logger.warn(warning);
      await runDaemon(config, logger, signal);
    });
}
