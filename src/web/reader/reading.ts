import {
  type Catalog,
  type CatalogConversation,
  type ConversationVersion,
  LastingCatalog,
  type OpenedConversation,
} from '../../catalog/index.ts';
import { messagesOf, type ReadableConversation, type ReadableMessage, textOfMessage } from '../../chatgpt/index.ts';
import { Allowance } from './allowance.ts';
import { type Span, spansOf } from './pages.ts';
import type {
  ConversationPage,
  MessageView,
  OutlineEntry,
  PageAnswer,
  PageQuestion,
  Place,
  SearchAnswer,
  SearchQuestion,
  TextAnswer,
  TextQuestion,
} from './questions.ts';

/** As much of a text as goes into one answer. */
const PIECE_CHARACTERS = 1_000_000;
const OUTLINE_ENTRIES = 300;
const OUTLINE_CHARACTERS = 90;

/** A conversation that was opened, along one of its paths. */
interface Opened extends OpenedConversation {
  readonly conversationInCatalog: CatalogConversation;
  readonly versions: readonly ConversationVersion[];
  readonly shown: number;
}

type Opening = Opened | Exclude<PageAnswer, { readonly kind: 'page' }>;

/** Answers questions about conversations out of a catalog and the snapshots that it knows. */
export class Reading implements Disposable {
  readonly #catalog: LastingCatalog;
  /** Whoever turns pages stays in one conversation, which may take seconds to open. */
  #last: { readonly catalog: Catalog; readonly key: string; readonly opened: Opened } | undefined;

  constructor(catalogDirectory: string) {
    this.#catalog = new LastingCatalog(catalogDirectory);
  }

  async search({ typed, options }: SearchQuestion): Promise<SearchAnswer> {
    const catalog = this.#catalog.current;
    if (catalog === undefined) return { kind: 'no-catalog' };
    return { kind: 'found', result: await catalog.search(typed, options) };
  }

  async page(question: PageQuestion): Promise<PageAnswer> {
    const opened = await this.#open(question);
    if ('kind' in opened) return opened;
    const { readable, through } = await this.#along(opened, question);
    // What renders takes longest to load, and a search does without it.
    const { viewOf } = await import('./blocks.ts');
    const rendering = { allowance: new Allowance(), plain: question.plain };
    const view = (message: ReadableMessage) => viewOf(message, rendering);
    return { kind: 'page', page: pageOf(opened, readable, { ...question, through }, view) };
  }

  /** The path that is asked for; where a message is, that it is on. */
  async #along(
    { conversation, reader, readable }: Opened,
    { at, through }: PageQuestion,
  ): Promise<{ readonly readable: ReadableConversation; readonly through: string | undefined }> {
    if (at === undefined || readable.messages.some(({ id }) => id === at)) return { readable, through };
    const node = [...conversation.nodes.values()].find(({ message }) => message?.id === at)?.id;
    return node === undefined
      ? { readable, through }
      : { readable: await reader.readable(conversation, node), through: node };
  }

  async text(question: TextQuestion): Promise<TextAnswer> {
    const opened = await this.#open({ ...question, through: undefined });
    const message = 'kind' in opened ? undefined : opened.conversation.nodes.get(question.node)?.message;
    if (message === undefined) return { kind: 'unknown' };
    const text = textOfMessage(message);
    const end = endOfPiece(text, question.from);
    return { kind: 'text', text: text.slice(question.from, end), next: end < text.length ? end : undefined };
  }

  async #open({ account, id, version, through }: Place): Promise<Opening> {
    const catalog = this.#catalog.current;
    if (catalog === undefined) return { kind: 'no-catalog' };
    const conversation = catalog.find(account, id);
    if (conversation === undefined) return otherOf(catalog, account, id);
    const versions = catalog.versions(conversation.number);
    const shown = indexOfVersion(versions, conversation, version);
    const state = versions[shown];
    if (state === undefined) return { kind: 'no-such-version', conversation };
    const key = JSON.stringify([state.number, through]);
    const facts = { conversationInCatalog: conversation, versions, shown };
    // The numbers of another catalog are those of other states.
    if (this.#last?.catalog === catalog && this.#last.key === key) return { ...this.#last.opened, ...facts };
    this.#last = undefined;
    const read = await catalog.read(state.number, id, through);
    if (read === undefined) return { kind: 'unreadable', conversation, snapshots: state.snapshots };
    const opened = { ...read, ...facts };
    this.#last = { catalog, key, opened };
    return opened;
  }

  [Symbol.dispose](): void {
    this.#catalog[Symbol.dispose]();
    this.#last = undefined;
  }
}

function otherOf(catalog: Catalog, account: string, id: string): PageAnswer & { readonly kind: 'unknown' | 'moved' } {
  const [only, ...others] = catalog.byId(id, 2).filter((one) => one.account === account);
  return only === undefined || others.length > 0 || id === ''
    ? { kind: 'unknown' }
    : { kind: 'moved', conversation: only };
}

function indexOfVersion(
  versions: readonly ConversationVersion[],
  { head }: CatalogConversation,
  wanted: string | undefined,
): number {
  if (wanted === undefined) return versions.findIndex(({ number }) => number === head);
  if (/^\d{1,6}$/.test(wanted)) return Number(wanted) - 1;
  return versions.findLastIndex(({ snapshots }) => snapshots.includes(wanted));
}

/** Never between the two halves of a character. */
function endOfPiece(text: string, from: number): number {
  const end = from + PIECE_CHARACTERS;
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end;
}

function pageOf(
  opened: Opened,
  readable: ReadableConversation,
  { at, through, page: asked = 1, hidden: withHidden }: PageQuestion,
  view: (message: ReadableMessage) => MessageView,
): ConversationPage {
  const { conversationInCatalog: conversation, versions, shown, snapshot } = opened;
  const visible = readable.messages.filter((message) => isShown(message, withHidden));
  const spans = spansOf(visible);
  const found = at === undefined ? -1 : visible.findIndex(({ id }) => id === at);
  const page = found === -1 ? Math.min(Math.max(1, asked), spans.length) : pageWith(spans, found);
  const [from, behind] = spans[page - 1] ?? [0, 0];
  return {
    conversation,
    versions,
    shown,
    snapshot,
    title: readable.title,
    createdAt: readable.createdAt,
    model: readable.model,
    archived: readable.archived === true,
    starred: readable.starred === true,
    sharedLinks: readable.sharedLinks.length,
    through,
    all: visible.length,
    hidden: readable.messages.filter(({ hidden, role }) => hidden || role === 'system').length,
    aside: messagesOf(opened.conversation).length - readable.messages.length,
    page,
    pages: spans.length,
    messages: visible.slice(from, behind).map(view),
    outline: outlineOf(visible, spans, page),
  };
}

function isShown({ hidden, role, blocks, attachments, alternatives }: ReadableMessage, withHidden: boolean): boolean {
  if ((hidden || role === 'system') && !withHidden) return false;
  return blocks.length > 0 || attachments.length > 0 || alternatives.length > 1;
}

function pageWith(spans: readonly Span[], index: number): number {
  return spans.findIndex(([from, behind]) => index >= from && index < behind) + 1;
}

function outlineOf(messages: readonly ReadableMessage[], spans: readonly Span[], page: number): OutlineEntry[] {
  const entries = messages.flatMap((message, index) => {
    const text = message.role === 'user' ? firstWords(message) : '';
    return text === '' ? [] : [{ message: message.id, page: pageWith(spans, index), text }];
  });
  return entries.length <= OUTLINE_ENTRIES
    ? entries
    : entries.filter((entry) => entry.page === page).slice(0, OUTLINE_ENTRIES);
}

function firstWords({ blocks }: ReadableMessage): string {
  const block = blocks.find(({ kind }) => kind === 'text' || kind === 'transcription');
  const text = block !== undefined && 'text' in block ? block.text.slice(0, 4 * OUTLINE_CHARACTERS) : '';
  const line = text.replace(/\s+/gu, ' ').trim();
  return line.length <= OUTLINE_CHARACTERS ? line : `${line.slice(0, OUTLINE_CHARACTERS).toWellFormed().trimEnd()}…`;
}
