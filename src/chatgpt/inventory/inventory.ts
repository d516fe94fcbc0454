import type { Schema } from '../conversation/conversation.ts';
import type { Role } from '../conversation/message.ts';
import type { AssetKind } from '../layout/asset-types.ts';
import type { Reports } from '../reports.ts';
import type { Generation } from './generation.ts';

/** What is in one export: enough to count it and to compare it with another one, and none of what was said. */
export interface Inventory {
  readonly generation: Generation;
  readonly counts: Counts;
  readonly ledger: Ledger;
  readonly reports: Reports;
  /** By id. */
  readonly conversations: ReadonlyMap<string, ConversationEntry>;
  /** The assets whose files the export holds, by id. */
  readonly assets: ReadonlyMap<string, AssetEntry>;
}

export interface ConversationEntry {
  readonly id: string;
  readonly title: string | undefined;
  /** ms UTC */
  readonly createdAt: number | undefined;
  /** When the newest message was written, ms UTC. */
  readonly newestMessageAt: number | undefined;
  readonly schema: Schema;
  readonly archived: boolean | undefined;
  readonly starred: boolean | undefined;
  /** The records of its messages (records.ts). */
  readonly messages: Buffer;
}

export interface AssetEntry {
  readonly kind: AssetKind;
  /** Made by ChatGPT: no longer in exports since G5. */
  readonly generated: boolean;
}

export interface Counts {
  readonly conversations: number;
  /** Of any role, on and off the main paths, each once a conversation. */
  readonly messages: number;
  readonly messagesByRole: Readonly<Record<Role, number>>;
  readonly voiceConversations: number;
  /** How often conversations fork: edits and regenerations. */
  readonly branches: number;
  /** Asset files by kind; pages of documents are `other`. */
  readonly assets: Readonly<Record<AssetKind, number>>;
  /** Assets that messages point to and whose files are not in the export. */
  readonly missingAssets: number;
  /** What the conversations take in their files. */
  readonly conversationBytes: number;
}

/** Where everything went that was found: `found` is the sum of the others. */
export interface Ledger {
  readonly conversations: {
    readonly found: number;
    readonly kept: number;
    /** Of an id that another one had: their messages were put together. */
    readonly repeated: number;
    /** Reported. */
    readonly unread: number;
  };
  /** Of the conversations that were read. */
  readonly messages: {
    readonly found: number;
    readonly kept: number;
    readonly repeated: number;
    readonly unread: number;
  };
}
