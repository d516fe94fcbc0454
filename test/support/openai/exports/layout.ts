import type { PlacedAsset } from './assets.ts';
import { buildTree } from './messages.ts';
import type { AccountModel, ConversationRecipe } from './model.ts';
import { SeededRandom } from './random.ts';
import { renderConversation } from './schemas.ts';
import { type Generation, isSince } from './turns.ts';
import type { EntryFacts, PlannedEntry } from './zip.ts';

/** What goes into one export ZIP. */
export interface Contents {
  readonly model: AccountModel;
  readonly generation: Generation;
  readonly conversations: readonly ConversationRecipe[];
  readonly assets: readonly PlacedAsset[];
  /** When the account's settings were last touched; undefined: long ago. */
  readonly touchedAt: Date | undefined;
}

/** What is known of the entries written so far; later entries (the manifest) are made from it. */
export interface Ledger {
  readonly written: EntryFacts[];
  readonly tally: { messages: number };
  /** What the conversations take in the JSON, and will again in `chat.html`, bytes. */
  conversationBytes: number;
}

const CONVERSATIONS_PER_SHARD = 100;
const KEPT_BYTES_LIMIT = 16 * 1024 * 1024;
const MANIFEST = 'export_manifest.json';

/** The entries of an export in the order they are written, by the table of generations: `chat.html` comes last. */
export function layOut(contents: Contents, ledger: Ledger): PlannedEntry[] {
  const { generation } = contents;
  const sorted = { ...contents, conversations: inExportOrder(contents.conversations, generation) };
  const renderer = new Renderer(generation, ledger);
  const entries = [
    userEntry(contents),
    ...conversationEntries(sorted, renderer),
    ...smallEntries(sorted),
    ...contents.assets.map((asset) => asset.entry),
    ...(generation === 'G5' ? nameEntries(contents, ledger) : []),
  ];
  const page = chatPage(sorted);
  const chat: PlannedEntry = {
    path: 'chat.html',
    method: 'deflate',
    content: () => framed(renderer.again(sorted.conversations), page),
  };
  return isSince(generation, 'G4') ? [...entries, manifestEntry(entries, page, ledger), chat] : [...entries, chat];
}

/** G5 sorts by conversation id; before it, the conversation last touched came first. */
function inExportOrder(conversations: readonly ConversationRecipe[], generation: Generation): ConversationRecipe[] {
  return generation === 'G5'
    ? conversations.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    : conversations.toSorted((a, b) => b.updateTime - a.updateTime);
}

function jsonEntry(path: string, value: () => unknown, indent?: number): PlannedEntry {
  return { path, method: 'deflate', content: () => [Buffer.from(JSON.stringify(value(), null, indent))] };
}

function userEntry({ model, generation }: Contents): PlannedEntry {
  return jsonEntry('user.json', () => ({
    id: model.userId,
    email: model.email,
    chatgpt_plus_user: true,
    ...(model.phone === undefined ? {} : { phone_number: model.phone }),
    ...(isSince(generation, 'G3') ? { birth_year: model.birthYear } : {}),
  }));
}

function conversationEntries({ conversations, generation }: Contents, renderer: Renderer): PlannedEntry[] {
  const frame = frameOf(generation);
  const write = (path: string, part: readonly ConversationRecipe[]): PlannedEntry => ({
    path,
    method: 'deflate',
    content: () => framed(renderer.firstTime(part), frame),
  });
  if (!isSince(generation, 'G4')) return [write('conversations.json', conversations)];
  const shards = Math.max(1, Math.ceil(conversations.length / CONVERSATIONS_PER_SHARD));
  return Array.from({ length: shards }, (_, shard) => {
    const start = shard * CONVERSATIONS_PER_SHARD;
    return write(shardPath(shard), conversations.slice(start, start + CONVERSATIONS_PER_SHARD));
  });
}

function shardPath(shard: number): string {
  return `conversations-${String(shard).padStart(3, '0')}.json`;
}

interface ArrayFrame {
  readonly open: string;
  readonly between: string;
  readonly close: string;
}

const ONE_LINE: ArrayFrame = { open: '[', between: ',', close: ']' };
const PRETTY: ArrayFrame = { open: '[\n', between: ',\n', close: '\n]' };

function frameOf(generation: Generation): ArrayFrame {
  return generation === 'G5' ? PRETTY : ONE_LINE;
}

/** An array's text, an element at a time. */
function* framed(elements: Iterable<Buffer>, frame: ArrayFrame): Generator<Buffer> {
  const between = Buffer.from(frame.between);
  yield Buffer.from(frame.open);
  let first = true;
  for (const element of elements) {
    if (!first) yield between;
    first = false;
    yield element;
  }
  yield Buffer.from(frame.close);
}

/** The conversations' JSON, which stands in an export twice; as much as fits is kept for the second time. */
class Renderer {
  readonly #generation: Generation;
  readonly #ledger: Ledger;
  readonly #kept = new Map<ConversationRecipe, Buffer>();
  #keptBytes = 0;

  constructor(generation: Generation, ledger: Ledger) {
    this.#generation = generation;
    this.#ledger = ledger;
  }

  /** For `conversations*.json`: counted. */
  *firstTime(conversations: readonly ConversationRecipe[]): Generator<Buffer> {
    for (const recipe of conversations) {
      const { json, messages } = renderConversation(recipe, this.#generation);
      this.#ledger.tally.messages += messages;
      this.#ledger.conversationBytes += json.length;
      if (this.#keptBytes + json.length <= KEPT_BYTES_LIMIT) {
        this.#kept.set(recipe, json);
        this.#keptBytes += json.length;
      }
      yield json;
    }
  }

  /** For `chat.html`. */
  *again(conversations: readonly ConversationRecipe[]): Generator<Buffer> {
    for (const recipe of conversations) {
      yield this.#kept.get(recipe) ?? renderConversation(recipe, this.#generation).json;
    }
  }
}

function smallEntries(contents: Contents): PlannedEntry[] {
  const { generation, conversations, touchedAt } = contents;
  const touched = touchedAt?.toISOString() ?? '2023-04-01T00:00:00.000Z';
  const rated = conversations.filter((recipe) => isDrawn(recipe, 'feedback', 8));
  const shared = conversations.filter((recipe) => isDrawn(recipe, 'shared', 6));
  const feedback = jsonEntry('message_feedback.json', () => rated.map((recipe) => feedbackRow(recipe, contents)));
  return [
    ...(rated.length === 0 ? [] : [feedback]),
    ...(isSince(generation, 'G4')
      ? []
      : [jsonEntry('model_comparisons.json', () => [{ id: 'comparison', create_time: touched }])]),
    jsonEntry('shared_conversations.json', () => shared.map(sharedRow)),
    ...(isSince(generation, 'G3')
      ? [
          jsonEntry('sora.json', () => ({ generations: [] })),
          jsonEntry('group_chats.json', () => ({ chats: [] })),
          jsonEntry('shopping.json', () => []),
        ]
      : []),
    ...(isSince(generation, 'G4')
      ? [
          jsonEntry('user_settings.json', () => ({
            settings: { training_allowed: false, voice_name: 'cove', last_seen_announcement: touched },
          })),
        ]
      : []),
    ...(generation === 'G5' ? [jsonEntry('ads.json', () => [], 2)] : []),
  ];
}

function isDrawn(recipe: ConversationRecipe, what: string, oneIn: number): boolean {
  return new SeededRandom(`${what}/${recipe.seed}`).below(oneIn) === 0;
}

/** Rows of three generations stand in one real file. */
function feedbackRow(recipe: ConversationRecipe, { model, generation }: Contents): unknown {
  const random = new SeededRandom(`feedback row/${recipe.seed}`);
  const messageId = buildTree(recipe, generation).currentNode;
  const rating = random.pick(['thumbsUp', 'thumbsDown']);
  const content = JSON.stringify({ text: 'Just what I needed', tags: [] });
  const common = { conversation_id: recipe.id, user_id: model.userId, rating };
  const time = new Date(recipe.createTime * 1000).toISOString();
  const kind = isSince(generation, 'G2') ? random.below(3) : 0;
  if (kind === 0) return { message_id: messageId, ...common, content };
  const newer = {
    id: messageId,
    ...common,
    create_time: time,
    workspace_id: null,
    content,
    evaluation_name: null,
    evaluation_treatment: null,
  };
  return kind === 1 ? newer : { ...newer, update_time: time, storage_protocol: 'v2' };
}

function sharedRow(recipe: ConversationRecipe): unknown {
  const id = new SeededRandom(`shared row/${recipe.seed}`).uuid();
  return { id, conversation_id: recipe.id, title: recipe.title, is_anonymous: true };
}

/** Where the flat files' names are to be found (G5). */
function nameEntries({ assets }: Contents, ledger: Ledger): PlannedEntry[] {
  const sizes = () => new Map(ledger.written.map((entry) => [entry.path, entry.bytes] as const));
  const names = () =>
    Object.fromEntries(assets.filter((asset) => asset.inNames).map((asset) => [asset.path, asset.originalName]));
  const library = () => {
    const bytes = sizes();
    return assets
      .filter((asset) => asset.inLibrary)
      .map((asset) => ({
        file_id: asset.fileId,
        file_name: asset.originalName,
        mime_type: asset.mime,
        file_size_bytes: bytes.get(asset.path) ?? 0,
        state: 'ready',
        library_file_category: asset.mime.split('/')[0],
      }));
  };
  return [jsonEntry('conversation_asset_file_names.json', names, 2), jsonEntry('library_files.json', library, 2)];
}

/** Sizes of every file but the manifest itself, without hashes. */
function manifestEntry(entries: readonly PlannedEntry[], page: ChatPage, ledger: Ledger): PlannedEntry {
  const shards = entries.map((entry) => entry.path).filter((path) => /^conversations-\d{3,}\.json$/.test(path));
  return jsonEntry(
    MANIFEST,
    () => ({
      export_files: [
        ...ledger.written.map(({ path, bytes }) => ({ path, size_bytes: bytes })),
        { path: 'chat.html', size_bytes: page.bytes(ledger.conversationBytes) },
      ],
      logical_files: {
        'conversations.json': { files: shards, shard_count: shards.length, sharded: true },
        'chat.html': { files: ['chat.html'], sharded: false },
      },
      manifest_file: MANIFEST,
      version: 1,
    }),
    2,
  );
}

/** The frame of `chat.html`, and the page's size, given what its conversations take. */
interface ChatPage extends ArrayFrame {
  bytes(conversationBytes: number): number;
}

const PAGE_HEAD = `<html>
<head>
<title>ChatGPT Data Export</title>
<style>body { font-family: sans-serif; max-width: 60em; margin: auto; } .message { white-space: pre-wrap; }</style>
</head>
<body>
<div id="root"></div>
<script>
`;

const PAGE_RENDERER = `
var root = document.getElementById('root');
for (var i = 0; i < jsonData.length; i++) {
  var conversation = jsonData[i];
  var heading = document.createElement('h4');
  heading.innerHTML = conversation.title || 'New chat';
  root.appendChild(heading);
  for (var id = conversation.current_node, seen = {}; id && !seen[id]; id = (conversation.mapping[id] || {}).parent) {
    seen[id] = true;
    var message = (conversation.mapping[id] || {}).message;
    if (!message || !message.content || !message.content.parts) continue;
    var block = document.createElement('pre');
    block.className = 'message';
    block.innerHTML = message.author.role + ': ' + message.content.parts.join('\\n');
    heading.after(block);
  }
}
</script>
</body>
</html>
`;

/** `chat.html` around its conversations: `var jsonData = […]`, since G2 `var assetsJson = …`, and a small renderer. */
function chatPage({ assets, conversations, generation }: Contents): ChatPage {
  const frame = frameOf(generation);
  const assetPaths = JSON.stringify(Object.fromEntries(assets.map((asset) => [asset.fileId, asset.path])));
  const assetsJson = isSince(generation, 'G2') ? `\nvar assetsJson = ${assetPaths};` : '';
  const open = `${PAGE_HEAD}var jsonData = ${frame.open}`;
  const close = `${frame.close};${assetsJson}${PAGE_RENDERER}`;
  const fixed = Buffer.byteLength(open + close) + Math.max(0, conversations.length - 1) * frame.between.length;
  return { open, between: frame.between, close, bytes: (conversationBytes) => fixed + conversationBytes };
}
