import type { CatalogConversation, ConversationVersion, SearchOptions, SearchResult } from '../../catalog/index.ts';
import type { AssetKind, Role } from '../../chatgpt/index.ts';
import type { Source } from './markdown.ts';

/** A state of a conversation, and a path through it. */
export interface Place {
  readonly account: string;
  readonly id: string;
  /** The name of a snapshot, or a number from 1; the newest state without it. */
  readonly version?: string | undefined;
  /** A node that the path leads through; the main path without it. */
  readonly through?: string | undefined;
}

export interface PageQuestion extends Place {
  /** The id of a message: its page is given, and its branch if it is not on the path. */
  readonly at?: string | undefined;
  /** From 1. */
  readonly page?: number | undefined;
  /** With what ChatGPT does not show. */
  readonly hidden: boolean;
  /** Texts as they stand, without Markdown: for one that takes too long. */
  readonly plain: boolean;
}

export interface TextQuestion extends Place {
  readonly node: string;
  /** In UTF-16 units. */
  readonly from: number;
}

export interface SearchQuestion {
  readonly typed: string;
  readonly options: SearchOptions;
}

/** What the reader can be asked, and what it answers. */
export interface Dialogue {
  readonly page: { readonly question: PageQuestion; readonly answer: PageAnswer };
  readonly text: { readonly question: TextQuestion; readonly answer: TextAnswer };
  readonly search: { readonly question: SearchQuestion; readonly answer: SearchAnswer };
}

export type PageAnswer =
  | { readonly kind: 'page'; readonly page: ConversationPage }
  | { readonly kind: 'no-catalog' | 'unknown' }
  /** The only one whose id begins so. */
  | { readonly kind: 'moved'; readonly conversation: CatalogConversation }
  | { readonly kind: 'no-such-version'; readonly conversation: CatalogConversation }
  /** No snapshot gives it any more. */
  | { readonly kind: 'unreadable'; readonly conversation: CatalogConversation; readonly snapshots: readonly string[] };

export type TextAnswer =
  /** A piece of it, and where the next one begins; undefined behind the last. */
  { readonly kind: 'text'; readonly text: string; readonly next: number | undefined } | { readonly kind: 'unknown' };

export type SearchAnswer = { readonly kind: 'found'; readonly result: SearchResult } | { readonly kind: 'no-catalog' };

/** A page of a conversation: some of its messages, and what is known of all of it. */
export interface ConversationPage {
  readonly conversation: CatalogConversation;
  readonly versions: readonly ConversationVersion[];
  /** Of the versions, the one that is shown; from 0. */
  readonly shown: number;
  /** The snapshot that it was read from. */
  readonly snapshot: string;
  readonly title: string | undefined;
  /** ms UTC */
  readonly createdAt: number | undefined;
  readonly model: string | undefined;
  readonly archived: boolean;
  readonly starred: boolean;
  readonly sharedLinks: number;
  /** The node that the path was made to lead through, asked for or found; undefined on the main path. */
  readonly through: string | undefined;
  /** Numbers of messages: on this path (all pages), hidden ones of it, and on other branches. */
  readonly all: number;
  readonly hidden: number;
  readonly aside: number;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  readonly messages: readonly MessageView[];
  /** What the user has asked, over all pages; where that is too much, on this one. */
  readonly outline: readonly OutlineEntry[];
}

export interface OutlineEntry {
  readonly message: string;
  readonly page: number;
  readonly text: string;
}

export interface MessageView {
  readonly id: string;
  readonly node: string;
  readonly role: Role;
  readonly speaker: string;
  /** ms UTC */
  readonly at: number | undefined;
  readonly model: string | undefined;
  readonly hidden: boolean;
  readonly rating: string | undefined;
  /** What it is, where it is folded: work that ChatGPT has not shown to its user as an answer. */
  readonly folded: string | undefined;
  readonly blocks: readonly BlockView[];
  readonly sources: readonly Source[];
  /** Not all of its text is in the blocks. */
  readonly cut: boolean;
  /** Which it is of those that stand in its place, from 1; and the nodes beside it. */
  readonly alternative:
    | {
        readonly number: number;
        readonly of: number;
        readonly earlier: string | undefined;
        readonly later: string | undefined;
      }
    | undefined;
}

export interface FileView {
  readonly name: string;
  readonly kind: AssetKind;
  /** Undefined where the export does not hold it. */
  readonly path: string | undefined;
  readonly bytes: number | undefined;
}

export type BlockView =
  /** Sanitised HTML, of Markdown or of what somebody typed. */
  | { readonly kind: 'text'; readonly html: string; readonly typed: boolean }
  | { readonly kind: 'spoken'; readonly text: string | undefined; readonly files: readonly FileView[] }
  | {
      readonly kind: 'image';
      readonly file: FileView;
      readonly width: number | undefined;
      readonly height: number | undefined;
      readonly generated: boolean;
      readonly prompt: string | undefined;
    }
  | { readonly kind: 'file'; readonly file: FileView }
  | { readonly kind: 'fold'; readonly title: string; readonly blocks: readonly BlockView[] }
  | { readonly kind: 'quote'; readonly title: string; readonly url: string | undefined; readonly text: string }
  | { readonly kind: 'note'; readonly title: string; readonly text: string };
