import { Command } from 'commander';
import { type Comparison, type ConversationChange, compareInventories, takeInventory } from '../chatgpt/index.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { count } from '../lib/text.ts';
import { allSnapshots, listSnapshots, type SnapshotPlace, selectSnapshot } from '../snapshot/index.ts';
import { loadForCommand, stopSignal } from './context.ts';
import { printJson, printLine } from './output.ts';

interface Options {
  readonly account?: string;
  readonly json?: true;
}

/** `chatkeep diff [A] [B]`: what became of the conversations of one export in a later one. */
export function diffCommand(): Command {
  return new Command('diff')
    .description('compare two snapshots: conversations added, changed and gone; changes of the format told apart')
    .argument('[older]', 'the older snapshot; else the last but one')
    .argument('[newer]', 'the newer snapshot; else the newest of the same account')
    .option('--account <name>', 'of this account, where no snapshot is named')
    .option('--json', 'print the comparison as JSON')
    .action(async (older: string | undefined, newer: string | undefined, options: Options, command: Command) => {
      const { config } = await loadForCommand(command);
      const signal = stopSignal();
      const [before, after] = choose(await listSnapshots(config.backupDir), [older, newer], options.account);
      const comparison = compareInventories(
        await takeInventory(before.path, { signal }),
        await takeInventory(after.path, { signal }),
      );
      if (options.json === true) printJson({ older: before.id, newer: after.id, ...comparison });
      else printComparison(before, after, comparison);
    });
}

type List = Awaited<ReturnType<typeof listSnapshots>>;

/** @throws ChatkeepError `not-found` where there are no two */
function choose(
  list: List,
  [older, newer]: readonly [string | undefined, string | undefined],
  wanted: string | undefined,
): [SnapshotPlace, SnapshotPlace] {
  const all = allSnapshots(list);
  const named = older === undefined ? undefined : selectSnapshot(list, older);
  const account = named?.account ?? wanted ?? all.at(-1)?.account;
  const ofAccount = all.filter((snapshot) => snapshot.account === account);
  const after = newer === undefined ? ofAccount.at(-1) : selectSnapshot(list, newer);
  const before = named ?? ofAccount[ofAccount.length - 2];
  if (before !== undefined && after !== undefined && before.id !== after.id) return [before, after];
  throw new ChatkeepError(
    'not-found',
    account === undefined
      ? 'There is no snapshot to compare.'
      : `There is no second snapshot of ${printable(account)} to compare with.`,
  );
}

const NAMED = 50;

function printComparison(before: SnapshotPlace, after: SnapshotPlace, comparison: Comparison): void {
  const { conversations, messages, assets, formatChange, unread } = comparison;
  printLine(`From ${before.id} to ${after.id}:`);
  if (formatChange !== undefined) {
    printLine(
      `The format of the exports changed (${formatChange.from} to ${formatChange.to}): ${count(messages.noLongerCarried, 'message')} and ${count(assets.noLongerCarried.length, 'file')} are of kinds that exports no longer carry. Nobody deleted them; the older snapshot has them.`,
    );
  }
  if (unread > 0) {
    printLine(
      `${count(unread, 'conversation or message', 'conversations and messages')} of the newer export could not be read: what seems to be gone may be among them.`,
    );
  }
  printGroup('added', '+', conversations.added, ({ messages: { added } }) => count(added, 'message'));
  printGroup('changed', '~', conversations.changed, changeWords);
  printGroup('gone', '-', conversations.gone, ({ messages: { gone } }) => count(gone, 'message'));
  printGroup(
    'no longer carried by the format',
    '·',
    conversations.noLongerCarried,
    ({ messages: { noLongerCarried } }) => count(noLongerCarried, 'message'),
  );
  printLine(`${count(conversations.unchanged, 'conversation')} unchanged.`);
  printLine(
    `Messages: ${number(messages.added)} added, ${number(messages.gone)} gone, ${number(messages.changed)} of other content. Files: ${number(assets.added.length)} added, ${number(assets.gone.length)} gone.`,
  );
}

function printGroup<T extends ConversationChange>(
  name: string,
  sign: string,
  changes: readonly T[],
  words: (change: T) => string,
): void {
  if (changes.length === 0) return;
  printLine(`${count(changes.length, 'conversation')} ${name}:`);
  for (const change of changes.slice(0, NAMED))
    printLine(`  ${sign} ${printable(change.title ?? '(no title)')}  ${printable(change.id)}  (${words(change)})`);
  if (changes.length > NAMED) printLine(`  … and ${number(changes.length - NAMED)} more (--json lists all)`);
}

function changeWords({ renamed, archived, messages }: Comparison['conversations']['changed'][number]): string {
  const words = [
    messages.added > 0 ? `${number(messages.added)} added` : undefined,
    messages.gone > 0 ? `${number(messages.gone)} gone` : undefined,
    messages.changed > 0 ? `${number(messages.changed)} of other content` : undefined,
    renamed ? 'renamed' : undefined,
    archived,
  ];
  return words.filter((word) => word !== undefined).join(', ');
}

function number(n: number): string {
  return n.toLocaleString('en-US');
}
