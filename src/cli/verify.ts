import { randomInt } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import type { Config } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { count, formatBytes } from '../lib/text.ts';
import {
  allSnapshots,
  checkLatest,
  type LatestProblem,
  listSnapshots,
  type SnapshotList,
  type SnapshotPlace,
  type SnapshotReport,
  selectSnapshots,
  verifySnapshots,
} from '../snapshot/index.ts';
import { rememberSample, selectorOf, takeSample } from '../verification/index.ts';
import { loadForCommand, stopSignal } from './context.ts';
import { printJson, printLine, progressDisplay } from './output.ts';

interface Options {
  /** 0 to 1. */
  readonly sample?: number;
  readonly json?: true;
}

/** `chatkeep verify [SNAPSHOT…]`: whether every byte is still what it was. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('check every file of the snapshots against its SHA-256; exit code 3 tells of damage')
    .argument('[snapshots...]', 'snapshots as `chatkeep snapshots` names them, accounts, or latest; else all')
    .option(
      '--sample <percent>',
      'read only this part of all bytes, going on where the last sample ended, and look that the other files are there',
      parseShare,
    )
    .option('--json', 'print the result as JSON')
    .action(async (names: string[], options: Options, command: Command) => {
      const { config } = await loadForCommand(command);
      const list = await listSnapshots(config.backupDir);
      const reports = await verify(choose(list, names), list, { ...options, config, isRound: names.length === 0 });
      const latest = names.length === 0 ? await checkLatest(list) : [];
      if (options.json === true) printJson(asJson(reports, list, latest));
      else printRest(reports, list, latest, config);
      const damaged = reports.filter(({ ok }) => !ok).length;
      if (damaged > 0) throw new ChatkeepError('damaged', `${count(damaged, 'snapshot is', 'snapshots are')} damaged.`);
      if (latest.length > 0)
        throw new ChatkeepError('damaged', 'The files are sound; the link that is named above is not.', {
          next: 'Start the service, or run any command that writes: the link is set anew.',
        });
    });
}

function parseShare(text: string): number {
  const percent = Number(/^(\d+(?:\.\d+)?)\s*%?$/.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return percent / 100;
  throw new InvalidArgumentError('Give a part of all bytes: 5% (more than 0, at most 100).');
}

function choose(list: SnapshotList, names: readonly string[]): SnapshotPlace[] {
  if (names.length === 0) return allSnapshots(list);
  const chosen = names.flatMap((name) => selectSnapshots(list, name));
  return [...new Map(chosen.map((snapshot) => [snapshot.id, snapshot])).values()];
}

async function verify(
  chosen: readonly SnapshotPlace[],
  list: SnapshotList,
  { config, sample, json, isRound }: Options & { readonly config: Config; readonly isRound: boolean },
): Promise<SnapshotReport[]> {
  const signal = stopSignal();
  const display = json === true ? undefined : progressDisplay();
  // A sample of some snapshots is no part of the round through all, and begins anywhere.
  const from = isRound ? undefined : randomInt(65_536);
  const stretch =
    sample === undefined
      ? undefined
      : await takeSample(config.stateDir, { snapshots: chosen, share: sample, from, signal });
  const reports: SnapshotReport[] = [];
  const verifying = verifySnapshots(chosen, list, {
    signal,
    select: stretch && selectorOf(stretch),
    onProgress: ({ id }, done, total) => display?.update(id, done, stretch === undefined ? total : undefined),
  });
  for await (const report of verifying) {
    display?.stop();
    reports.push(report);
    if (json !== true) printReport(report);
  }
  if (stretch !== undefined && isRound) await rememberSample(config.stateDir, stretch, systemClock.now());
  return reports;
}

function printReport({ snapshot, ok, checkedFiles, checkedBytes, problems }: SnapshotReport): void {
  const extent = `${count(checkedFiles, 'file')}, ${formatBytes(checkedBytes)}`;
  printLine(ok ? `${snapshot.id}: sound (${extent})` : `${snapshot.id}: DAMAGED (${extent} are sound)`);
  for (const { kind, path, detail, sharedWith, soundCopy } of problems) {
    printLine(`  ${kind}: ${printable(path)}: ${printable(detail)}`);
    if (sharedWith.length > 0)
      printLine(`    It is the same file in ${sharedWith.join(', ')}, and damaged there, too.`);
    if (soundCopy === undefined) continue;
    printLine('    A sound copy is in another snapshot. To repair it:');
    printLine(`    cp -p --remove-destination ${quoted(soundCopy)} ${quoted(`${snapshot.path}/${path}`)}`);
  }
}

/** For a shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

function printRest(
  reports: readonly SnapshotReport[],
  { strangers, damagedRecords }: SnapshotList,
  latest: readonly LatestProblem[],
  { backupDir }: Config,
): void {
  if (reports.length === 0) printLine(`There is no snapshot in ${backupDir} yet.`);
  for (const { detail } of latest) printLine(detail);
  for (const { path, problem } of damagedRecords) printLine(`Damaged: ${path}: ${problem}`);
  if (strangers.length > 0) printLine(`Not of Chatkeep, left alone: ${strangers.join(', ')}`);
}

function asJson(reports: readonly SnapshotReport[], list: SnapshotList, latest: readonly LatestProblem[]): unknown {
  return {
    snapshots: reports.map(({ snapshot, ...report }) => ({ snapshot: snapshot.id, ...report })),
    damaged: list.damaged,
    damagedRecords: list.damagedRecords,
    latest,
  };
}
