import { type Conversation, type ConversationNode, mainNodes, pathTo } from './conversation.ts';

/**
 * The forks of a conversation: an edited question and another answer to the same one hang on the same node. Circles and
 * parents that are not there do no harm: every walk remembers where it has been.
 */
export class Branches {
  readonly #conversation: Conversation;
  /** The nodes by what they name as their parent, in the order of the file. */
  readonly #children: ReadonlyMap<string | undefined, readonly ConversationNode[]>;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    this.#children = Map.groupBy(conversation.nodes.values(), ({ parent }) => parent);
  }

  /** What stands in the same place of the conversation: the node itself, and those that may be shown instead. */
  alternativesTo(node: ConversationNode): readonly ConversationNode[] {
    const siblings = this.#children.get(node.parent) ?? [];
    return siblings.length < 2 ? [node] : siblings.filter((one) => one === node || one.message !== undefined);
  }

  /** The path through a node to the newest end behind it; the main path if there is no such node, or none is named. */
  pathThrough(nodeId: string | undefined): ConversationNode[] {
    const node = nodeId === undefined ? undefined : this.#conversation.nodes.get(nodeId);
    if (node === undefined) return mainNodes(this.#conversation);
    return pathTo(this.#conversation, this.#newestEndBehind(node).id);
  }

  #newestEndBehind(node: ConversationNode): ConversationNode {
    const seen = new Set<string>();
    const open = [node];
    let newest: ConversationNode | undefined;
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next.id)) continue;
      seen.add(next.id);
      const children = this.#children.get(next.id) ?? [];
      open.push(...children.toReversed());
      if (children.length === 0 && (newest === undefined || timeOf(next) >= timeOf(newest))) newest = next;
    }
    return newest ?? node;
  }
}

function timeOf({ message }: ConversationNode): number {
  return message?.createdAt ?? 0;
}
