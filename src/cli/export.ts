import { stdout } from 'node:process';
import { Command, Option } from 'commander';
import { exportConversations, FORMATS, type FormatName } from '../exporting/index.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { count } from '../lib/text.ts';
import { openCatalog, parseFrom } from './catalog/open.ts';
import { stopSignal } from './context.ts';
import { printJson, printLine } from './output.ts';

interface Options {
  readonly format: FormatName;
  readonly since?: number;
  readonly account?: string;
  readonly json?: true;
}

/** `chatkeep export TARGET`: conversations as files that other programs read. */
export function exportCommand(): Command {
  return new Command('export')
    .description(
      'write the conversations of all snapshots as Markdown, JSON or HTML files; done again, only what changed',
    )
    .argument('<target>', 'a new or empty directory, or that of an earlier export')
    .addOption(new Option('--format <format>', 'of the files').choices(Object.keys(FORMATS)).makeOptionMandatory())
    .option('--since <day>', 'only conversations with messages from that day or month on (UTC)', parseFrom)
    .option('--account <name>', 'only of this account')
    .option('--json', 'print what was done as JSON')
    .action(async (target: string, options: Options, command: Command) => {
      using catalog = await openCatalog(command);
      const { format, since, account } = options;
      const report = await exportConversations(catalog, target, {
        format,
        since,
        account,
        signal: stopSignal(),
        onProgress: (done, total) => {
          if (stdout.isTTY && options.json !== true) stdout.write(`\r${done} of ${count(total, 'conversation')}`);
        },
      });
      if (stdout.isTTY && options.json !== true) printLine();
      if (options.json === true) printJson(report);
      else {
        printLine(
          `${count(report.written, 'conversation')} written, ${report.unchanged.toLocaleString('en-US')} unchanged, ${count(report.removedFiles, 'file')} of earlier exports removed.`,
        );
      }
      if (report.unreadable === 0) return;
      throw new ChatkeepError('damaged', `${count(report.unreadable, 'conversation')} could not be read.`, {
        next: 'Run `chatkeep verify` to see what is wrong with the snapshots, then `chatkeep catalog rebuild`.',
      });
    });
}
