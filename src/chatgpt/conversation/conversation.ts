import { asFlag, asMoment, asObject, asText, isObject, type JsonObject } from '../json/values.ts';
import type { ReportReason } from '../reports.ts';
import { type Message, readMessage } from './message.ts';

/** One place in a conversation's tree. */
export interface ConversationNode {
  readonly id: string;
  /** As the export has it: it may name a node that is not there, or lead in a circle. */
  readonly parent: string | undefined;
  /** Roots have none. */
  readonly message: Message | undefined;
}

/** `full`: to G4. `slim`: since G5, without system, tool, code and hidden messages. */
export type Schema = 'full' | 'slim';

export interface Conversation {
  /** Undefined where the export gives none. */
  readonly id: string | undefined;
  readonly title: string | undefined;
  /** ms UTC */
  readonly createdAt: number | undefined;
  /** ms UTC. Older than the newest message in every third conversation: not for comparing. */
  readonly updatedAt: number | undefined;
  /** Every node of the tree, on the main path and beside it, in the order of the file. */
  readonly nodes: ReadonlyMap<string, ConversationNode>;
  /** The main path's end, where the export names one that is there. */
  readonly currentNode: string | undefined;
  readonly model: string | undefined;
  /** Undefined where the schema does not say. */
  readonly archived: boolean | undefined;
  readonly starred: boolean | undefined;
  /** The custom GPT or project that it belongs to. */
  readonly gizmo: string | undefined;
  /** The voice it was held in, if the export says so. */
  readonly voice: string | undefined;
  readonly schema: Schema;
  /** As it stands in the export. */
  readonly raw: JsonObject;
}

/** Told of everything in a conversation that is not as it should be. */
export type Noticed = (reason: ReportReason, detail: string) => void;

/** Whether it is a conversation at all: `mapping` is the only thing to rely on. */
export function isConversation(value: unknown): value is JsonObject {
  return isObject(value) && isObject(value.mapping);
}

/** Reads a conversation of any schema. What is not there or of another type is left out; nothing is thrown. */
export function readConversation(raw: JsonObject, noticed: Noticed): Conversation {
  const nodes = new Map<string, ConversationNode>();
  let schema: Schema = 'slim';
  for (const [id, value] of Object.entries(asObject(raw.mapping) ?? {})) {
    const node = asObject(value);
    if (node !== undefined && 'children' in node) schema = 'full';
    nodes.set(id, readNode(id, value, noticed));
  }
  const currentNode = asText(raw.current_node);
  return {
    id: asText(raw.conversation_id) ?? asText(raw.id),
    title: asText(raw.title),
    createdAt: asMoment(raw.create_time),
    updatedAt: asMoment(raw.update_time),
    nodes,
    currentNode: currentNode !== undefined && nodes.has(currentNode) ? currentNode : undefined,
    model: asText(raw.default_model_slug),
    archived: asFlag(raw, 'is_archived'),
    starred: asFlag(raw, 'is_starred'),
    gizmo: asText(raw.gizmo_id),
    voice: asText(raw.voice),
    schema,
    raw,
  };
}

function readNode(id: string, value: unknown, noticed: Noticed): ConversationNode {
  const node = asObject(value);
  const message = readMessage(node?.message, id);
  const hasNone = node !== undefined && (node.message === null || node.message === undefined);
  if (message === undefined && !hasNone) noticed('message-not-understood', id);
  if (message?.role === 'other') noticed('role-not-understood', message.authorName ?? 'none');
  for (const part of message?.parts ?? []) {
    if (part.kind === 'unknown') noticed('content-not-understood', part.type);
  }
  return { id, parent: asText(node?.parent), message };
}

/** All messages, on and off the main path, in the order of the file. */
export function messagesOf({ nodes }: Conversation): Message[] {
  return [...nodes.values()].flatMap(({ message }) => message ?? []);
}

/**
 * The messages as ChatGPT shows them, from the first to the last: from the current node up the parents. Where no
 * current node is known, the newest leaf is taken for it. Circles and parents that are not there end the path.
 */
export function mainPath(conversation: Conversation, noticed: Noticed = () => undefined): Message[] {
  return mainNodes(conversation, noticed).flatMap(({ message }) => message ?? []);
}

/** {@link mainPath} with the nodes that hold no message. */
export function mainNodes(conversation: Conversation, noticed: Noticed = () => undefined): ConversationNode[] {
  const { nodes, currentNode } = conversation;
  if (currentNode === undefined && nodes.size > 0) noticed('current-node-missing', conversation.id ?? 'none');
  return pathTo(conversation, currentNode ?? newestLeaf(conversation), noticed);
}

/** The nodes from a root to the one named, as {@link mainPath} goes. */
export function pathTo(
  { nodes }: Conversation,
  end: string | undefined,
  noticed: Noticed = () => undefined,
): ConversationNode[] {
  const path: ConversationNode[] = [];
  const seen = new Set<string>();
  for (let id = end; id !== undefined; ) {
    const node = nodes.get(id);
    if (node === undefined || seen.has(id)) {
      noticed(node === undefined ? 'path-dangling' : 'path-circular', id);
      break;
    }
    seen.add(id);
    path.push(node);
    id = node.parent;
  }
  return path.reverse();
}

/** The ends of all paths: nodes that no other has as its parent. */
export function leavesOf({ nodes }: Conversation): ConversationNode[] {
  const parents = new Set([...nodes.values()].map(({ parent }) => parent));
  return [...nodes.values()].filter(({ id }) => !parents.has(id));
}

/** How often the conversation forks: by an edited question, or another answer to the same one. */
export function branchesOf(conversation: Conversation): number {
  return Math.max(0, leavesOf(conversation).filter(({ message }) => message !== undefined).length - 1);
}

/** Where all leads in circles, any node. */
function newestLeaf(conversation: Conversation): string | undefined {
  const leaves = leavesOf(conversation);
  let newest: ConversationNode | undefined;
  for (const node of leaves.length > 0 ? leaves : conversation.nodes.values()) {
    if (newest === undefined || timeOf(node) >= timeOf(newest)) newest = node;
  }
  return newest?.id;
}

function timeOf({ message }: ConversationNode): number {
  return message?.createdAt ?? 0;
}
