import { Command } from 'commander';
import type { Catalog, CatalogConversation, ConversationVersion, OpenedConversation } from '../catalog/index.ts';
import type { Asset, Block, ReadableMessage } from '../chatgpt/index.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { printable, printableText } from '../lib/printable.ts';
import { count, formatMoment } from '../lib/text.ts';
import { findConversation, openCatalog } from './catalog/open.ts';
import { presenceSentence, titleOf } from './catalog/words.ts';
import { printJson, printLine } from './output.ts';

interface Options {
  readonly version?: string;
  readonly through?: string;
  readonly account?: string;
  readonly hidden?: true;
  readonly json?: true;
}

/** `chatkeep show CONVERSATION`: a conversation to read. */
export function showCommand(): Command {
  return new Command('show')
    .description('print a conversation, as it is in the newest export that has it')
    .argument('<conversation>', 'its id, or the beginning of it')
    .option('--version <version>', 'as it was in that snapshot, or its first (1), second (2), … version')
    .option('--through <message>', 'along the branch that leads through this message')
    .option('--account <name>', 'of this account')
    .option('--hidden', 'with what ChatGPT does not show: system messages, instructions')
    .option('--json', 'print it as JSON')
    .action(async (id: string, options: Options, command: Command) => {
      using catalog = await openCatalog(command);
      const conversation = findConversation(catalog, id, options.account);
      const versions = catalog.versions(conversation.number);
      const version = chooseVersion(versions, conversation, options.version);
      const opened = await open(catalog, conversation, version, options.through);
      if (options.json === true) printJson(asJson(conversation, versions, version, opened));
      else printConversation(conversation, versions, version, opened, options.hidden === true);
    });
}

function chooseVersion(
  versions: readonly ConversationVersion[],
  { id, lastSeen }: CatalogConversation,
  wanted: string | undefined,
): ConversationVersion {
  const version =
    wanted === undefined
      ? versions.findLast(({ snapshots }) => snapshots.includes(lastSeen))
      : (versions[Number(wanted) - 1] ?? versions.findLast(({ snapshots }) => snapshots.includes(wanted)));
  if (version !== undefined) return version;
  throw new ChatkeepError('not-found', `There is no version "${printable(wanted ?? '')}" of ${printable(id)}.`, {
    next: `Its versions are ${versionList(versions)}.`,
  });
}

/** `1 (2026-03-01T100000Z), 2 (2026-06-01T100000Z)` */
function versionList(versions: readonly ConversationVersion[]): string {
  return versions.map(({ snapshots }, index) => `${index + 1} (${snapshots.at(-1)})`).join(', ');
}

async function open(
  catalog: Catalog,
  { id }: CatalogConversation,
  { number, snapshots }: ConversationVersion,
  through: string | undefined,
): Promise<OpenedConversation> {
  const opened = await catalog.read(number, id, through);
  if (opened !== undefined) return opened;
  throw new ChatkeepError('damaged', `The conversation could not be read from ${snapshots.join(', ')}.`, {
    next: 'Run `chatkeep verify` to see what is wrong with the snapshots, then `chatkeep catalog rebuild`.',
  });
}

function printConversation(
  conversation: CatalogConversation,
  versions: readonly ConversationVersion[],
  version: ConversationVersion,
  { readable }: OpenedConversation,
  hidden: boolean,
): void {
  printLine(titleOf(readable));
  const facts = [
    printable(conversation.id),
    conversation.account,
    readable.createdAt === undefined ? undefined : `begun ${formatMoment(readable.createdAt)}`,
    readable.model === undefined ? undefined : printable(readable.model),
    readable.archived === true ? 'archived' : undefined,
    readable.sharedLinks.length > 0 ? count(readable.sharedLinks.length, 'shared link') : undefined,
  ];
  printLine(facts.filter((fact) => fact !== undefined).join('  '));
  const presence = presenceSentence(conversation);
  if (presence !== undefined) printLine(presence);
  if (versions.length > 1) printLine(`Version ${versions.indexOf(version) + 1} of ${versionList(versions)}.`);
  if (readable.messagesAside > 0)
    printLine(`${count(readable.messagesAside, 'message is', 'messages are')} on other branches (--through).`);
  for (const message of readable.messages) if (hidden || !message.hidden) printMessage(message);
}

const NAMES: Readonly<Partial<Record<string, string>>> = { user: 'You', assistant: 'ChatGPT' };

function printMessage(message: ReadableMessage): void {
  const { role, authorName, createdAt, model, recipient, blocks, attachments, rating, alternatives } = message;
  const head = [
    NAMES[role] ?? printable(authorName ?? role),
    recipient === undefined ? undefined : `to ${printable(recipient)}`,
    createdAt === undefined ? undefined : formatMoment(createdAt),
    model === undefined ? undefined : printable(model),
    rating === undefined ? undefined : printable(rating),
  ];
  printLine();
  printLine(`── ${head.filter((one) => one !== undefined).join(' · ')} ──`);
  if (alternatives.length > 1) {
    const others = alternatives.filter((node) => node !== message.node);
    const shown = others.slice(0, OTHERS_SHOWN).map(printable).join(', ');
    printLine(
      `[${alternatives.indexOf(message.node) + 1} of ${alternatives.length}; others: ${shown}${others.length > OTHERS_SHOWN ? ', …' : ''}]`,
    );
  }
  for (const block of blocks) for (const line of linesOf(block)) printLine(line);
  for (const asset of attachments) printLine(assetLine('file', asset));
}

const OTHERS_SHOWN = 3;

function linesOf(block: Block): string[] {
  switch (block.kind) {
    case 'text':
      return [
        printableText(block.text),
        ...block.citations.map(({ title, url }) => `[${printable(title ?? 'source')}: ${printable(url)}]`),
      ];
    case 'transcription':
      return [`(spoken) ${printableText(block.text)}`];
    case 'image':
      return [assetLine('image', block.asset), ...(block.prompt === undefined ? [] : [printableText(block.prompt)])];
    case 'audio':
      return [assetLine('sound', block.asset)];
    case 'video':
      return block.assets.map((asset) => assetLine('video', asset));
    case 'thoughts':
      return block.thoughts.map(
        ({ summary, text }) => `(thought) ${printableText([summary, text].filter(Boolean).join(': '))}`,
      );
    case 'quote':
      return [`(quote) ${printable(block.title ?? block.url ?? '')}`, printableText(block.text)];
    case 'error':
      return [`(error) ${printable(block.name ?? '')} ${printableText(block.text)}`];
    case 'unknown':
      return [`(${printable(block.type)}, which this version does not know) ${printableText(block.text)}`];
    case 'code':
      return [printableText(block.text)];
    default:
      return [`(${block.kind}) ${printableText(block.text)}`];
  }
}

function assetLine(what: string, { name, file }: Asset): string {
  return file === undefined
    ? `[${what}: ${printable(name)}: not in the export]`
    : `[${what}: ${printable(name)}: ${printable(file.path)}]`;
}

function asJson(
  conversation: CatalogConversation,
  versions: readonly ConversationVersion[],
  version: ConversationVersion,
  { readable, reader }: OpenedConversation,
): unknown {
  const { account, presence, firstSeen, lastSeen } = conversation;
  return {
    account,
    presence,
    firstSeen,
    lastSeen,
    version: versions.indexOf(version) + 1,
    versions: versions.map(({ title, messages, schema, snapshots }) => ({
      title: title ?? null,
      messages,
      schema,
      snapshots,
    })),
    directory: reader.layout.directory,
    ...readable,
  };
}
