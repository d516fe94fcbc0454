import { Command } from 'commander';
import { loadForCommand } from './context.ts';
import { jsonOf, linesOf, listAddresses } from './notify-list.ts';
import { nobodyToTell, notifyTestCommand } from './notify-test.ts';
import { printJson, printLine } from './output.ts';

/** `chatkeep notify`: who is told, and whether notifications arrive. */
export function notifyCommand(): Command {
  const notify = new Command('notify').description('list the notification addresses, and try them out');
  notify.addCommand(notifyTestCommand());
  notify
    .command('list')
    .description('list the addresses: what each is told, what waits for it, and why the last attempt failed')
    .option('--json', 'print the list as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const addresses = await listAddresses(config);
      if (options.json === true) return printJson(addresses.map(jsonOf));
      if (addresses.length === 0) throw nobodyToTell();
      for (const line of addresses.flatMap(linesOf)) printLine(line);
    });
  return notify;
}
