import { Command } from 'commander';
import { ChatkeepError } from '../lib/errors.ts';
import { count, formatBytes } from '../lib/text.ts';
import { listSnapshots, type SnapshotInfo, verifySnapshot } from '../snapshot/index.ts';
import { loadForCommand, stopSignal } from './context.ts';
import { printJson, printLine, progressDisplay } from './output.ts';

/** `chatkeep verify [SNAPSHOT…]`: whether every byte is still what it was. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('check every file of the snapshots against its SHA-256; exit code 3 tells of damage')
    .argument('[snapshots...]', 'snapshots as `chatkeep snapshots` names them, or accounts; else all')
    .option('--json', 'print the result as JSON')
    .action(async (names: string[], options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const signal = stopSignal();
      const listing = await listSnapshots(config.backupDir);
      const chosen = choose(listing.snapshots, names);
      const display = options.json === true ? undefined : progressDisplay();
      const reports = [];
      for (const snapshot of chosen) {
        const report = await verifySnapshot(snapshot, {
          signal,
          onProgress: (done, total) => display?.update(snapshot.id, done, total),
        });
        display?.stop();
        reports.push({ snapshot: snapshot.id, ...report });
        if (options.json === true) continue;
        const extent = `${count(report.checkedFiles, 'file')}, ${formatBytes(report.checkedBytes)}`;
        printLine(report.ok ? `${snapshot.id}: sound (${extent})` : `${snapshot.id}: DAMAGED (${extent} checked)`);
        for (const { kind, path, detail } of report.problems) printLine(`  ${kind}: ${path}: ${detail}`);
      }
      if (options.json === true) printJson({ snapshots: reports, damaged: listing.damaged });
      else if (chosen.length === 0) printLine(`There is no snapshot in ${config.backupDir} yet.`);
      const bad = reports.filter(({ ok }) => !ok).length + (names.length === 0 ? listing.damaged.length : 0);
      if (bad > 0) {
        for (const { path, problem } of listing.damaged) process.stderr.write(`${path}: ${problem}\n`);
        throw new ChatkeepError('damaged', `${count(bad, 'snapshot is', 'snapshots are')} damaged.`);
      }
    });
}

function choose(snapshots: readonly SnapshotInfo[], names: readonly string[]): SnapshotInfo[] {
  if (names.length === 0) return [...snapshots];
  return names.flatMap((name) => {
    const found = snapshots.filter((snapshot) => [snapshot.id, snapshot.account, snapshot.name].includes(name));
    if (found.length === 0) throw new ChatkeepError('not-found', `There is no snapshot "${name}".`);
    return found;
  });
}
