import { Command } from 'commander';
import { judgeHealth, readHeartbeat } from '../heartbeat.ts';
import { systemClock } from '../lib/clock.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { loadForCommand } from './context.ts';
import { printLine } from './output.ts';

/** `chatkeep healthcheck`: for Docker and other supervisors. */
export function healthcheckCommand(): Command {
  return new Command('healthcheck')
    .description('exit 0 if the service lives and speaks with its mailboxes, else 7')
    .action(async (_options: unknown, command: Command) => {
      const { config } = await loadForCommand(command);
      const health = judgeHealth(await readHeartbeat(config.stateDir), systemClock.now());
      if (health.kind !== 'healthy') throw new ChatkeepError('unhealthy', health.detail);
      printLine('healthy');
    });
}
