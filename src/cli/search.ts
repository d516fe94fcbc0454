import { Command, InvalidArgumentError, Option } from 'commander';
import type { CatalogConversation, SearchFilter, SearchResult } from '../catalog/index.ts';
import { ROLES, type Role } from '../chatgpt/index.ts';
import { systemClock } from '../lib/clock.ts';
import { printable } from '../lib/printable.ts';
import { count, formatMoment } from '../lib/text.ts';
import { openCatalog, parseFrom, parseTo } from './catalog/open.ts';
import { presenceSentence, snippetLine, titleOf } from './catalog/words.ts';
import { printJson, printLine } from './output.ts';

interface Options {
  readonly role?: Role;
  readonly model?: string;
  readonly from?: number;
  readonly to?: number;
  readonly title?: string;
  readonly account?: string;
  readonly deleted?: true;
  readonly newest?: true;
  readonly limit: number;
  readonly json?: true;
}

const DEFAULT_LIMIT = 20;
const MOST = 1000;

/** `chatkeep search WORDS…`: messages of all snapshots, by their words. */
export function searchCommand(): Command {
  return new Command('search')
    .description('find messages by their words, in all snapshots, deleted conversations included')
    .argument('<words...>', 'words that must all be there; "a phrase", begin*, -without')
    .addOption(new Option('--role <role>', 'only messages of this role').choices(ROLES))
    .option('--model <name>', 'only answers of this model, as `chatkeep stats` names them')
    .option('--from <day>', 'only from that day or month on (2026-11-21, 2026-11; UTC)', parseFrom)
    .option('--to <day>', 'only until the end of that day or month', parseTo)
    .option('--title <words>', 'only in conversations with these words in their title')
    .option('--account <name>', 'only of this account')
    .option('--deleted', 'only in conversations that are no longer in the newest export')
    .option('--newest', 'the newest first, not the best')
    .option('--limit <number>', 'how many are shown', parseLimit, DEFAULT_LIMIT)
    .option('--json', 'print them as JSON')
    .action(async (words: string[], options: Options, command: Command) => {
      using catalog = await openCatalog(command);
      const result = await catalog.search(words.map(asTyped).join(' '), {
        filter: filterOf(options),
        limit: options.limit,
        order: options.newest === true ? 'newest' : 'best',
        now: systemClock.now(),
      });
      if (options.json === true) printJson(asJson(result));
      else printResult(result);
    });
}

/** The shell has taken the quotes of a phrase away. */
function asTyped(word: string): string {
  return /\s/.test(word) && !word.includes('"') ? `"${word}"` : word;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
    throw new InvalidArgumentError(`It takes a number from 1 to ${MOST}.`);
  return limit;
}

function filterOf({ role, model, from, to, title, account, deleted }: Options): SearchFilter {
  return { role, model, from, to, title, account, deleted };
}

function printResult({ hits, found, more, titles, remark }: SearchResult): void {
  for (const conversation of titles) printLine(`Title: ${titleOf(conversation)}  ${idOf(conversation)}`);
  if (titles.length > 0) printLine();
  for (const { conversation, role, at, snippet, snapshot, earlier, alsoIn } of hits) {
    printLine(`${at === undefined ? 'at an unknown time' : formatMoment(at)}  ${role}  ${titleOf(conversation)}`);
    printLine(
      `  ${snippet === undefined ? '(The text cannot be read: run `chatkeep verify`.)' : snippetLine(snippet)}`,
    );
    const notes = [
      presenceSentence(conversation),
      earlier ? 'Only in an earlier version of the conversation.' : undefined,
      alsoIn.length > 0 ? `Also in ${count(alsoIn.length, 'other conversation')}.` : undefined,
    ].filter((note) => note !== undefined);
    if (notes.length > 0) printLine(`  ${notes.join(' ')}`);
    printLine(
      `  chatkeep show ${idOf(conversation)}${earlier && snapshot !== undefined ? ` --version ${snapshot}` : ''}`,
    );
    printLine();
  }
  if (remark !== undefined) printLine(remark);
  if (found === 0) printLine('Nothing was found.');
  else if (found > hits.length || more)
    printLine(`${more ? 'More than ' : ''}${count(found, 'message')} found, ${hits.length} shown (--limit).`);
}

function idOf({ id }: CatalogConversation): string {
  return printable(id);
}

function asJson({ hits, found, more, titles, remark }: SearchResult): unknown {
  return {
    found,
    more,
    remark: remark ?? null,
    hits: hits.map(({ conversation, message, role, model, at, snapshot, earlier, snippet, alsoIn }) => ({
      conversation: conversationJson(conversation),
      message: message ?? null,
      role,
      model: model ?? null,
      at: at === undefined ? null : new Date(at).toISOString(),
      snapshot: snapshot ?? null,
      earlier,
      snippet: snippet ?? null,
      alsoIn: alsoIn.map(({ id }) => id),
    })),
    titles: titles.map(conversationJson),
  };
}

function conversationJson({ id, account, title, presence, firstSeen, lastSeen }: CatalogConversation): unknown {
  return { id, account, title: title ?? null, presence, firstSeen, lastSeen };
}
