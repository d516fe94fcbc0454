import { Command } from 'commander';
import type { IndexReport } from '../catalog/index.ts';
import { updateCatalog } from '../catalog/index.ts';
import { catalogDirectory, catalogSources } from '../cataloging.ts';
import { count, formatBytes } from '../lib/text.ts';
import { loadForCommand, stopSignal } from './context.ts';
import { printJson, printLine, progressDisplay } from './output.ts';

/** `chatkeep catalog`: the search index, which the service and the commands keep up to date by themselves. */
export function catalogCommand(): Command {
  return new Command('catalog')
    .description('the search index over the snapshots: a cache that can be made anew at any time')
    .addCommand(updateCommand('update', 'bring the search index up to the snapshots that there are', false))
    .addCommand(updateCommand('rebuild', 'make the search index anew, from nothing', true));
}

function updateCommand(name: string, description: string, rebuild: boolean): Command {
  return new Command(name)
    .description(description)
    .option('--json', 'print what was done as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const display = options.json === true ? undefined : progressDisplay();
      const report = await updateCatalog(catalogDirectory(config), await catalogSources(config.backupDir), {
        signal: stopSignal(),
        rebuild,
        onProgress: (done, total) => display?.update('indexing', done, total),
      }).finally(() => display?.stop());
      if (options.json === true) printJson(report);
      else printReport(report);
    });
}

function printReport({ snapshots, conversations, messages, bytes }: IndexReport): void {
  if (snapshots === 0) {
    printLine('The search index is up to date.');
    return;
  }
  printLine(
    `${count(snapshots, 'snapshot')} indexed: ${count(conversations.indexed, 'conversation')} with ${count(messages.indexed, 'message')} read, ${conversations.known.toLocaleString('en-US')} known already (${formatBytes(bytes)}).`,
  );
  if (conversations.unread + messages.unread > 0)
    printLine(
      `Not understood, and kept in the snapshots as they came: ${count(conversations.unread, 'conversation')}, ${count(messages.unread, 'message')}.`,
    );
}
