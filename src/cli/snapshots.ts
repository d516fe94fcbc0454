import { Command } from 'commander';
import { formatBytes, formatMoment } from '../lib/text.ts';
import { attachmentsOf, listSnapshots, type SnapshotInfo, type UnchangedExport } from '../snapshot/index.ts';
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
      const { snapshots, unchanged, strangers, damaged, damagedRecords } = await listSnapshots(config.backupDir);
      const shown = snapshots.filter(({ account }) => options.account === undefined || account === options.account);
      const sameAs = Map.groupBy(unchanged, ({ snapshot }) => snapshot.id);
      if (options.json === true) {
        return printJson({
          snapshots: shown.map(({ id, name, path, meta }) => {
            return { name, path, ...meta, unchanged: (sameAs.get(id) ?? []).map((each) => each.meta) };
          }),
          strangers,
          damaged,
          damagedRecords,
        });
      }
      if (shown.length === 0) printLine(`There is no snapshot in ${config.backupDir} yet.`);
      else {
        const counted = COUNTED.filter(({ of }) => shown.some(({ meta }) => of(meta) !== undefined));
        const rows = shown.map(({ id, meta }) => [
          id,
          formatMoment(meta.exportTime),
          ...counted.map(({ of }) => of(meta)?.toLocaleString('en-US') ?? '–'),
          meta.files.toLocaleString('en-US'),
          formatBytes(meta.bytes),
          ...(sameAs.size === 0 ? [] : [seenAgain(sameAs.get(id))]),
          meta.source.kind === 'notice' ? `mail to ${meta.source.mailbox}` : meta.source.name,
        ]);
        const again = sameAs.size === 0 ? [] : ['SEEN AGAIN, UNCHANGED'];
        const numbers = [...counted.map(({ name }) => name), 'FILES', 'SIZE'];
        const header = ['SNAPSHOT', 'EXPORTED', ...numbers, ...again, 'FROM'];
        printLine(
          table(
            header,
            rows,
            numbers.map((name) => header.indexOf(name)),
          ),
        );
      }
      for (const { path, problem } of [...damaged, ...damagedRecords]) printLine(`Damaged: ${path}: ${problem}`);
      if (strangers.length > 0) printLine(`Not of Chatkeep, left alone: ${strangers.join(', ')}`);
    });
}

/** What was counted in an export; a column each, where it is known of a snapshot at all. */
const COUNTED: readonly { readonly name: string; of(meta: SnapshotInfo['meta']): number | undefined }[] = [
  { name: 'CONVERSATIONS', of: ({ counts }) => counts.conversations },
  { name: 'MESSAGES', of: ({ counts }) => counts.messages },
  { name: 'ATTACHMENTS', of: attachmentsOf },
];

/** When the newest export was made that holds what the snapshot does, and of how many. */
function seenAgain(unchanged: readonly UnchangedExport[] = []): string {
  const newest = unchanged.at(-1);
  if (newest === undefined) return '';
  const others = unchanged.length === 1 ? '' : ` (${unchanged.length} exports)`;
  return `${formatMoment(newest.meta.exportTime)}${others}`;
}
