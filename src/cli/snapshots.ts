import { Command } from 'commander';
import { formatBytes, formatMoment } from '../lib/text.ts';
import { listSnapshots } from '../snapshot/index.ts';
import { loadForCommand } from './context.ts';
import { printJson, printLine, table } from './output.ts';

/** `chatkeep snapshots`: what there is. */
export function snapshotsCommand(): Command {
  return new Command('snapshots')
    .description('list the snapshots, newest last')
    .option('--account <name>', 'only those of this account')
    .option('--json', 'print them as JSON')
    .action(async (options: { account?: string; json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const { snapshots, strangers, damaged } = await listSnapshots(config.backupDir);
      const shown = snapshots.filter(({ account }) => options.account === undefined || account === options.account);
      if (options.json === true) {
        return printJson({
          snapshots: shown.map(({ name, path, meta }) => ({ name, path, ...meta })),
          strangers,
          damaged,
        });
      }
      if (shown.length === 0) printLine(`There is no snapshot in ${config.backupDir} yet.`);
      else {
        const rows = shown.map(({ id, meta }) => [
          id,
          formatMoment(meta.exportTime),
          meta.files.toLocaleString('en-US'),
          formatBytes(meta.bytes),
          meta.source.kind === 'notice' ? `mail to ${meta.source.mailbox}` : meta.source.name,
        ]);
        printLine(table(['SNAPSHOT', 'EXPORTED', 'FILES', 'SIZE', 'FROM'], rows, [2, 3]));
      }
      for (const { path, problem } of damaged) printLine(`Damaged: ${path}: ${problem}`);
      if (strangers.length > 0) printLine(`Not of Chatkeep, left alone: ${strangers.join(', ')}`);
    });
}
