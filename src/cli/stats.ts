import { Command } from 'commander';
import type { Statistics } from '../catalog/index.ts';
import { printable } from '../lib/printable.ts';
import { count } from '../lib/text.ts';
import { openCatalog } from './catalog/open.ts';
import { printJson, printLine, table } from './output.ts';

/** `chatkeep stats`: what was kept, in numbers. */
export function statsCommand(): Command {
  return new Command('stats')
    .description('count conversations and messages over all snapshots: by role, by model, by month')
    .option('--account <name>', 'only of this account')
    .option('--json', 'print them as JSON, by day and hour too')
    .action(async (options: { account?: string; json?: true }, command: Command) => {
      using catalog = await openCatalog(command);
      const statistics = catalog.statistics(options.account);
      if (options.json === true) printJson(statistics);
      else printStatistics(statistics);
    });
}

function printStatistics({ accounts, snapshots, conversations, messages, byRole, byModel, byDay }: Statistics): void {
  printLine(`${count(snapshots, 'snapshot')} of ${accounts.length === 0 ? 'no account' : accounts.join(', ')}`);
  printLine(
    `${count(conversations.all, 'conversation')}: ${number(conversations.present)} in the newest export, ${number(conversations.gone)} no longer; ${number(conversations.spoken)} with something spoken; ${count(conversations.versions, 'version')}`,
  );
  const roles = Object.entries(byRole).map(([role, n]) => `${number(n)} ${role}`);
  printLine(`${count(messages, 'message')}${roles.length === 0 ? '' : `: ${roles.join(', ')}`}`);
  if (byModel.length > 0) {
    printLine();
    const rows = byModel.map(({ model, messages: n }) => [printable(model), number(n)]);
    printLine(table(['MODEL', 'MESSAGES'], rows, [1]));
  }
  const months = Map.groupBy(byDay, ({ day }) => day.slice(0, 'YYYY-MM'.length));
  if (months.size > 0) {
    printLine();
    const rows = [...months].map(([month, days]) => [month, number(days.reduce((sum, one) => sum + one.messages, 0))]);
    printLine(table(['MONTH', 'MESSAGES'], rows, [1]));
  }
}

function number(n: number): string {
  return n.toLocaleString('en-US');
}
