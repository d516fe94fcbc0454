import { Command, InvalidArgumentError } from 'commander';
import { ChatkeepError } from '../lib/errors.ts';
import { count, formatBytes } from '../lib/text.ts';
import {
  type Decision,
  isKeepAll,
  KEEP_RULES,
  type KeepPolicy,
  type KeepRule,
  type PruneOptions,
  type PrunePlan,
  planPruneOf,
  prune,
} from '../retention/index.ts';
import { accountDirectory, listSnapshots, openBackupDirectory, type SnapshotList } from '../snapshot/index.ts';
import { loadForCommand, loggerFor, stopSignal } from './context.ts';
import { printJson, printLine, table } from './output.ts';

type Options = { readonly [Rule in KeepRule as `keep${Capitalize<Rule>}`]?: number } & {
  readonly account?: string;
  readonly yes?: true;
  readonly evenIfUnique?: true;
  readonly json?: true;
};

/** `chatkeep prune`: what need not be kept; shown, and deleted when told. */
export function pruneCommand(): Command {
  return new Command('prune')
    .description(
      'show which snapshots need not be kept, and delete them with --yes; what is found nowhere else is always kept',
    )
    .option('--keep-last <n>', 'keep the newest n; these five replace `keep` of the configuration', parseCount)
    .option('--keep-daily <n>', 'keep the newest of each of n days that have one', parseCount)
    .option('--keep-weekly <n>', 'the same by ISO weeks', parseCount)
    .option('--keep-monthly <n>', 'the same by months', parseCount)
    .option('--keep-yearly <n>', 'the same by years', parseCount)
    .option('--account <name>', 'only the snapshots of this account')
    .option('--yes', 'delete what is to go; without it, nothing is changed')
    .option('--even-if-unique', 'let go what the rules let go, even if something is lost with it')
    .option('--json', 'print the decisions as JSON')
    .action(async (options: Options, command: Command) => {
      const { config } = await loadForCommand(command);
      const policy = policyOf(options) ?? config.keep;
      const logger = await loggerFor(command, { ...config, log: { ...config.log, level: 'warn' } }, 2);
      const list = await listSnapshots(config.backupDir);
      const account = options.account === undefined ? undefined : accountDirectory(options.account);
      if (account !== undefined && !list.snapshots.some((snapshot) => snapshot.account === account))
        throw new ChatkeepError('not-found', `There is no snapshot of "${options.account}".`);
      const pruneOptions: PruneOptions = {
        policy,
        account,
        stateDir: config.stateDir,
        evenIfUnique: options.evenIfUnique === true,
        logger,
        signal: stopSignal(),
        onReading: ({ id }) => {
          if (options.json !== true) process.stderr.write(`Reading what is in ${id} …\n`);
        },
      };
      const plan =
        options.yes === true && !isKeepAll(policy)
          ? await pruneHere(config.backupDir, pruneOptions)
          : await planPruneOf(config.backupDir, pruneOptions);
      if (options.json === true) printJson(asJson(plan, options.yes === true));
      else printPlan(plan, list, { policy, isDone: options.yes === true, evenIfUnique: options.evenIfUnique === true });
    });
}

function parseCount(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 9999) return number;
  throw new InvalidArgumentError('Give a number from 1 to 9999.');
}

/** The policy of the command line, if it has one. */
function policyOf(options: Options): KeepPolicy | undefined {
  const policy: KeepPolicy = {
    last: options.keepLast,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
  };
  return isKeepAll(policy) ? undefined : policy;
}

async function pruneHere(backups: string, options: PruneOptions): Promise<PrunePlan> {
  try {
    await using directory = await openBackupDirectory(backups, { logger: options.logger });
    return await prune(directory, options);
  } catch (error) {
    if (!(error instanceof ChatkeepError) || error.class !== 'in-use') throw error;
    throw new ChatkeepError('in-use', `${error.message} Nothing was deleted.`, {
      next: 'Stop the service while you prune, or let it prune by itself: `prune: after_commit` in the configuration.',
      cause: error,
    });
  }
}

interface Told {
  readonly policy: KeepPolicy;
  readonly isDone: boolean;
  readonly evenIfUnique: boolean;
}

function printPlan({ decisions, freedBytes }: PrunePlan, list: SnapshotList, told: Told): void {
  if (decisions.length === 0) printLine('There is no snapshot yet.');
  else
    printLine(
      table(
        ['', 'SNAPSHOT', 'WHY'],
        decisions.map((decision) => rowOf(decision, told)),
      ),
    );
  for (const { id, problem } of list.damaged) printLine(`Damaged, left alone: ${id}: ${problem}`);
  if (list.strangers.length > 0) printLine(`Not of Chatkeep, left alone: ${list.strangers.join(', ')}`);
  printLine();
  printLine(conclusionOf(decisions, freedBytes, told));
}

function rowOf({ snapshot, ...decision }: Decision, { isDone }: Told): string[] {
  if (decision.kind === 'keep') return ['keep', snapshot.id, decision.reasons.join(', ')];
  return [isDone ? 'gone' : 'go', snapshot.id, decision.reason];
}

function conclusionOf(
  decisions: readonly Decision[],
  freedBytes: number,
  { policy, isDone, evenIfUnique }: Told,
): string {
  const going = decisions.filter(({ kind }) => kind === 'go').length;
  const snapshots = count(going, 'snapshot');
  if (isKeepAll(policy))
    return `Nothing is to go, since no rule is set: set \`keep\` in the configuration, or give ${KEEP_RULES.map((rule) => `--keep-${rule}`).join(', ')}.`;
  if (isDone)
    return going === 0 ? 'Nothing was deleted.' : `${snapshots} deleted; ${formatBytes(freedBytes)} are free now.`;
  if (going === 0) return 'Nothing is to go.';
  const insist = evenIfUnique ? ' --even-if-unique' : '';
  return `Nothing was deleted. \`chatkeep prune --yes${insist}\` (with the same rules) deletes ${snapshots} and frees ${formatBytes(freedBytes)}.`;
}

function asJson({ decisions, freedBytes }: PrunePlan, isDone: boolean): unknown {
  return {
    done: isDone,
    freedBytes,
    snapshots: decisions.map(({ snapshot, ...decision }) => ({ snapshot: snapshot.id, ...decision })),
  };
}
