import { Command } from 'commander';
import { ChatkeepError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { count, formatBytes } from '../lib/text.ts';
import { allSnapshots, listSnapshots, restoreSnapshot, selectSnapshot } from '../snapshot/index.ts';
import { loadForCommand, stopSignal } from './context.ts';
import { printJson, printLine, progressDisplay } from './output.ts';

/** `chatkeep restore SNAPSHOT TARGET`: a verified copy of a snapshot, outside of the backup directory. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('copy a snapshot out, each file verified on its way; exit code 3 tells of damage')
    .argument('<snapshot>', 'as `chatkeep snapshots` names it, or the beginning of that; latest, or ACCOUNT/latest')
    .argument('<target>', 'a directory that is empty or does not exist yet; or one of a restore that was broken off')
    .option('--json', 'print the result as JSON')
    .action(async (name: string, target: string, options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const list = await listSnapshots(config.backupDir);
      const snapshot = selectSnapshot(list, name);
      const display = options.json === true ? undefined : progressDisplay();
      const report = await restoreSnapshot(snapshot, target, {
        backups: config.backupDir,
        snapshots: allSnapshots(list),
        signal: stopSignal(),
        onProgress: (done, total) => display?.update(snapshot.id, done, total),
      }).finally(() => display?.stop());
      if (options.json === true) printJson({ snapshot: snapshot.id, target, ...report });
      else {
        printLine(
          `${snapshot.id}: ${count(report.files, 'file')}, ${formatBytes(report.bytes)} restored to ${target}${report.ok ? ', each verified' : ''}`,
        );
        for (const { path, from } of report.mended)
          printLine(`  mended: ${printable(path)} is damaged there, and was taken from ${printable(from)}`);
        for (const { detail } of report.problems) printLine(`  ${printable(detail)}`);
      }
      if (report.ok) return;
      throw new ChatkeepError(
        'damaged',
        `${count(report.problems.length, 'file')} of ${snapshot.id} could not be restored, or not be verified; everything else was.`,
        { next: 'Look for the files that are named above in another copy of the backup directory.' },
      );
    });
}
