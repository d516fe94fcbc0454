import { join } from 'node:path';
import { type AccountInformation, findAccount } from '../account.ts';
import { Branches } from '../conversation/branches.ts';
import { type Conversation, type ConversationNode, messagesOf } from '../conversation/conversation.ts';
import type { Message, Role } from '../conversation/message.ts';
import { readConversationAt, type Stretch } from '../conversation/read-at.ts';
import { type ExportLayout, readLayout } from '../layout/layout.ts';
import { type Feedback, type Rows, readFeedback, readSharedLinks, type SharedLink } from '../side-files.ts';
import { type Asset, AssetShelf } from './assets.ts';
import { type Block, blocksOf } from './blocks.ts';

/** A message as people read it. */
export interface ReadableMessage {
  readonly id: string;
  /** Its place in the tree. */
  readonly node: string;
  readonly role: Role;
  readonly authorName: string | undefined;
  /** ms UTC */
  readonly createdAt: number | undefined;
  readonly model: string | undefined;
  /** Not shown in ChatGPT. */
  readonly hidden: boolean;
  /** Whom it is for, where that is not everybody: a tool. */
  readonly recipient: string | undefined;
  readonly blocks: readonly Block[];
  /** Files that came with it and are in none of its blocks. */
  readonly attachments: readonly Asset[];
  readonly rating: string | undefined;
  /** The nodes that stand in this place, this one among them: edited questions, other answers. */
  readonly alternatives: readonly string[];
}

/** A conversation as people read it: one path through it, and where it forks. */
export interface ReadableConversation {
  readonly id: string | undefined;
  readonly title: string | undefined;
  /** ms UTC */
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
  readonly model: string | undefined;
  readonly archived: boolean | undefined;
  readonly starred: boolean | undefined;
  readonly gizmo: string | undefined;
  readonly sharedLinks: readonly SharedLink[];
  /** From the first to the last. */
  readonly messages: readonly ReadableMessage[];
  /** How many messages are in the conversation and not on this path. */
  readonly messagesAside: number;
}

/** Reads in one unpacked export: its conversations with their files, its account, its lists. */
export class ExportReader {
  readonly layout: ExportLayout;
  readonly #assets: AssetShelf;
  readonly #ratings: ReadonlyMap<string, string>;
  readonly #links: ReadonlyMap<string, readonly SharedLink[]>;

  private constructor(layout: ExportLayout, assets: AssetShelf, feedback: Rows<Feedback>, links: Rows<SharedLink>) {
    this.layout = layout;
    this.#assets = assets;
    this.#ratings = new Map(
      feedback.rows.flatMap(({ message, rating }) =>
        message === undefined || rating === undefined ? [] : [[message, rating] as const],
      ),
    );
    this.#links = Map.groupBy(links.rows, ({ conversation }) => conversation ?? '');
  }

  /** @throws what the file system says of the directory itself; the signal's reason */
  static async open(directory: string, signal?: AbortSignal): Promise<ExportReader> {
    const layout = await readLayout(directory, signal);
    const nothing = { rows: [], unread: 1 };
    const orNothing = () => {
      signal?.throwIfAborted();
      return nothing;
    };
    return new ExportReader(
      layout,
      await AssetShelf.of(layout, signal),
      await readFeedback(layout, signal).catch(orNothing),
      await readSharedLinks(layout, signal).catch(orNothing),
    );
  }

  /** What the export says of its account; undefined where it says nothing that is understood. Never throws. */
  account(): Promise<AccountInformation | undefined> {
    return findAccount(this.layout.directory, this.layout.files).catch(() => undefined);
  }

  /** The conversation that an earlier reading has found in a file of the export; undefined where there is none now. */
  conversationAt(file: string, stretch: Stretch): Promise<Conversation | undefined> {
    return readConversationAt(join(this.layout.directory, file), stretch);
  }

  /**
   * A conversation for people. Never throws, however strange it is.
   * @param through the node that the path is to lead through; the main path without it
   */
  async readable(conversation: Conversation, through?: string): Promise<ReadableConversation> {
    const branches = new Branches(conversation);
    const messages: ReadableMessage[] = [];
    for (const node of branches.pathThrough(through)) {
      if (node.message !== undefined) messages.push(await this.#readableMessage(node, node.message, branches));
    }
    const { id, title, createdAt, updatedAt, model, archived, starred, gizmo } = conversation;
    return {
      id,
      title,
      createdAt,
      updatedAt,
      model,
      archived,
      starred,
      gizmo,
      sharedLinks: id === undefined ? [] : (this.#links.get(id) ?? []),
      messages,
      messagesAside: messagesOf(conversation).length - messages.length,
    };
  }

  async #readableMessage(node: ConversationNode, message: Message, branches: Branches): Promise<ReadableMessage> {
    const assets = await this.#assets.assetsOf(message);
    const blocks = blocksOf(message, assets);
    const shown = new Set(blocks.flatMap(assetIdsOf));
    const { id, role, authorName, createdAt, model, hidden, recipient } = message;
    return {
      id,
      node: node.id,
      role,
      authorName,
      createdAt,
      model,
      hidden,
      recipient: recipient === 'all' ? undefined : recipient,
      blocks,
      attachments: [...assets.values()].filter((asset) => !shown.has(asset.id)),
      rating: this.#ratings.get(id),
      alternatives: branches.alternativesTo(node).map((one) => one.id),
    };
  }
}

function assetIdsOf(block: Block): readonly string[] {
  if (block.kind === 'image' || block.kind === 'audio') return [block.asset.id];
  return block.kind === 'video' ? block.assets.map(({ id }) => id) : [];
}
