import type { Command } from 'commander';
import * as z from 'zod';
import { type Config, type LoadedConfig, loadConfig } from '../config/index.ts';
import { ChatkeepError, errorMessage } from '../lib/errors.ts';
import { createLogger, LOG_LEVELS, type Logger } from '../lib/logger.ts';
import type { Secret } from '../lib/secret.ts';
import { openHeartbeat, parseAddress } from '../notify/index.ts';

const globalOptions = z.object({ config: z.string().optional(), logLevel: z.enum(LOG_LEVELS).optional() });

/**
 * The configuration that a command is to work with, notification addresses included.
 * @throws ChatkeepError `config` that lists every problem, `usage` for a wrong flag
 */
export async function loadForCommand(command: Command): Promise<LoadedConfig> {
  const { config: path } = optionsOf(command);
  return loadConfig({ env: process.env, checkAddress, checkHeartbeat, ...(path === undefined ? {} : { path }) });
}

function checkAddress(address: Secret): string | undefined {
  try {
    parseAddress(address);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

function checkHeartbeat(address: Secret): string | undefined {
  try {
    openHeartbeat(address);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

/** The logger of a command: the service's goes to standard output, any other's to standard error. */
export async function loggerFor(command: Command, config: Config, fd: 1 | 2): Promise<Logger> {
  return createLogger({ ...config.log, level: optionsOf(command).logLevel ?? config.log.level, fd });
}

/** The options that every command has. */
export function optionsOf(command: Command): z.output<typeof globalOptions> {
  const parsed = globalOptions.safeParse(command.optsWithGlobals());
  if (parsed.success) return parsed.data;
  throw new ChatkeepError('usage', `--log-level takes one of ${LOG_LEVELS.join(', ')}.`);
}

/** A signal that aborts on SIGINT and SIGTERM; the second time, the process ends at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new ChatkeepError('interrupted', `Stopped by ${name}.`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}
