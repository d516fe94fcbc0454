import { Command } from 'commander';
import { stringify } from 'yaml';
import { describeConfig } from '../config/index.ts';
import { count } from '../lib/text.ts';
import { parseAddress } from '../notify/index.ts';
import { loadForCommand } from './context.ts';
import { printJson, printLine } from './output.ts';

/** `chatkeep config check` and `chatkeep config show`. */
export function configCommand(): Command {
  const config = new Command('config').description('check or show the configuration');
  config
    .command('check')
    .description('read the configuration as the service would, and list every problem with its fix')
    .option('--json', 'print the result as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { config, sources, warnings } = await loadForCommand(command);
      const services = config.notify.flatMap(({ url }) => parseAddress(url)).map(({ label }) => label);
      if (options.json === true) return printJson({ ok: true, sources, warnings, notify: services });
      printLine('The configuration is sound.');
      printLine(`Mailboxes: ${config.mailboxes.map(({ name, host }) => `${name} at ${host}`).join(', ') || 'none'}`);
      printLine(`Backups go to ${config.backupDir}; state is kept in ${config.stateDir}.`);
      printLine(`Notifications: ${services.length === 0 ? 'none' : services.join(', ')}`);
      if (warnings.length > 0) printLine(`${count(warnings.length, 'thing')} to think about:`);
      for (const warning of warnings) printLine(`- ${warning}`);
    });
  config
    .command('show')
    .description('print the complete configuration, defaults included, with secrets redacted')
    .option('--json', 'as JSON instead of YAML')
    .action(async (options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      if (options.json === true) printJson(describeConfig(config));
      else printLine(stringify(describeConfig(config)).trimEnd());
    });
  return config;
}
