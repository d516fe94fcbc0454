import { buildTree, type ConversationTree, type Message, type TreeNode } from './messages.ts';
import type { ConversationRecipe } from './model.ts';
import { SeededRandom } from './random.ts';
import { type Generation, isSince } from './turns.ts';

type Json = Record<string, unknown>;

/** A conversation as it stands in `conversations.json`, and how many messages it holds in that schema. */
export interface RenderedConversation {
  /** UTF-8. No `</` is in it (it is written `<\\/`), so that it can stand in a page's script as it is. */
  readonly json: Buffer;
  readonly messages: number;
}

/**
 * A conversation's JSON in the schema of a generation, without anything around it: one line, or (G5) pretty-printed and
 * indented as an element of a pretty-printed array. G1 and G2 escape all that is not ASCII, as Python's `json.dumps`
 * does by default; later ones hold raw UTF-8.
 */
export function renderConversation(recipe: ConversationRecipe, generation: Generation): RenderedConversation {
  const tree = buildTree(recipe, generation);
  if (generation === 'G5') {
    const slim = slimConversation(recipe, tree);
    // An array of one gives the indentation of an element; its brackets and line ends are cut away.
    return { json: encoded(JSON.stringify([slim.conversation], null, 2).slice(2, -2)), messages: slim.messages };
  }
  const json = JSON.stringify(fullConversation(recipe, tree, generation));
  const messages = Object.values(tree.mapping).filter((node) => node.message !== null).length;
  return { json: encoded(isSince(generation, 'G3') ? json : escapeNonAscii(json)), messages };
}

function encoded(json: string): Buffer {
  return Buffer.from(json.includes('</') ? json.replaceAll('</', '<\\/') : json);
}

const NON_ASCII = /[\u0080-\uffff]/g;

function escapeNonAscii(json: string): string {
  return json.replace(NON_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function fullConversation(recipe: ConversationRecipe, tree: ConversationTree, generation: Generation): Json {
  const { id, title, createTime, updateTime } = recipe;
  const mapping = isSince(generation, 'G3') ? tree.mapping : withoutChannel(tree.mapping);
  const first: Json = {
    title,
    create_time: createTime,
    update_time: updateTime,
    mapping,
    moderation_results: [],
    current_node: tree.currentNode,
    plugin_ids: null,
    conversation_id: id,
    conversation_template_id: null,
  };
  if (!isSince(generation, 'G2')) return { ...first, id };
  const second: Json = {
    ...first,
    gizmo_id: null,
    is_archived: recipe.archived,
    safe_urls: tree.safeUrls,
    default_model_slug: isSince(generation, 'G3') ? 'gpt-4o' : 'gpt-4',
  };
  if (!isSince(generation, 'G3')) return { ...second, id };
  return {
    ...second,
    gizmo_type: null,
    is_starred: recipe.starred ? true : null,
    blocked_urls: [],
    conversation_origin: null,
    is_read_only: null,
    voice: null,
    async_status: null,
    disabled_tool_ids: [],
    is_do_not_remember: false,
    memory_scope: 'global_enabled',
    context_scopes: null,
    sugar_item_id: null,
    ...(generation === 'G4' ? { sugar_item_visible: false, is_study_mode: false, owner: null } : {}),
    id,
  };
}

function withoutChannel(mapping: Readonly<Record<string, TreeNode>>): Json {
  const entries = Object.entries(mapping).map(([id, node]) => {
    if (node.message === null) return [id, node] as const;
    const { channel: _channel, ...message } = node.message;
    return [id, { ...node, message }] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * The slim schema: only user and assistant messages that are shown, no `children`, most metadata gone; each node hangs
 * on its nearest ancestor that is left.
 */
function slimConversation(
  recipe: ConversationRecipe,
  tree: ConversationTree,
): { conversation: Json; messages: number } {
  const random = new SeededRandom(`slim/${recipe.seed}`);
  const kept: TreeNode[] = Object.values(tree.mapping).filter(
    (node) => node.message === null || survives(node.message),
  );
  const keptIds = new Set(kept.map((node) => node.id));
  const nearestKept = (start: string | null): string | null => {
    let id = start;
    while (id !== null && !keptIds.has(id)) id = tree.mapping[id]?.parent ?? null;
    return id;
  };
  const mapping = Object.fromEntries(
    kept.map(({ id, message, parent }) => [
      id,
      { id, message: message === null ? null : slimMessage(message, random), parent: nearestKept(parent) },
    ]),
  );
  return {
    conversation: {
      id: recipe.id,
      conversation_id: recipe.id,
      title: recipe.title,
      create_time: recipe.createTime,
      update_time: recipe.updateTime,
      current_node: nearestKept(tree.currentNode),
      default_model_slug: 'gpt-5',
      is_archived: recipe.archived,
      is_starred: recipe.starred,
      memory_scope: 'global_enabled',
      voice: null,
      mapping,
    },
    messages: kept.filter((node) => node.message !== null).length,
  };
}

function survives(message: Message): boolean {
  const { role } = message.author;
  if (role !== 'user' && role !== 'assistant') return false;
  const { is_visually_hidden_from_conversation: hidden } = message.metadata;
  return hidden !== true && message.recipient === 'all' && message.content.content_type !== 'code';
}

function slimMessage(message: Message, random: SeededRandom): Json {
  const { id, author, create_time, content } = message;
  const metadata = slimMetadata(message.metadata, random);
  return { id, author, create_time, content, ...(metadata === undefined ? {} : { metadata }) };
}

/** What is left of the metadata; `parent_id` may name a node that is gone, as in real exports. */
function slimMetadata(full: Json, random: SeededRandom): Json | undefined {
  const { attachments, content_references: references, citations, parent_id } = full;
  const metadata: Json = {
    ...(attachments === undefined ? {} : { attachments }),
    ...(Array.isArray(references) ? { content_references: references.map(withoutOffsets) } : {}),
    ...(citations === undefined ? {} : { citations }),
    ...(random.chance(1 / 8) ? { parent_id } : {}),
  };
  return Object.keys(metadata).length === 0 ? undefined : metadata;
}

function withoutOffsets(reference: unknown): unknown {
  if (typeof reference !== 'object' || reference === null) return reference;
  return Object.fromEntries(Object.entries(reference).filter(([key]) => key !== 'start_idx' && key !== 'end_idx'));
}
