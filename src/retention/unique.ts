import { type AssetKind, type ConversationEntry, countRecords, kindOfAsset, recordsWithout } from '../chatgpt/index.ts';
import { count, listed } from '../lib/text.ts';
import type { Contents } from './contents.ts';

/** What a snapshot holds and no other one does; all 0 where there is nothing of the kind. */
export interface Unique {
  /** Conversations of which no other snapshot has any version. */
  readonly conversations: number;
  /** Messages of other conversations, or versions of their content. */
  readonly messages: number;
  /** Messages that others hold in the slim form of since May 2026 only, without what the full form tells of them. */
  readonly fuller: number;
  readonly files: Readonly<Record<AssetKind, number>>;
}

/** A conversation of which something is found nowhere else so far. */
interface Open {
  readonly entry: ConversationEntry;
  isElsewhere: boolean;
  /** Messages that were met in no other snapshot. */
  left: Buffer;
  /** Of a conversation in the full form: messages that were met in no other snapshot in the full form. */
  leftInFull: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** What of a snapshot's content is found nowhere else, as one other snapshot after the other is looked through. */
export class Remainder {
  readonly #conversations: Map<string, Open>;
  readonly #files: Map<string, string>;

  constructor({ conversations, files }: Contents) {
    this.#conversations = new Map(
      Array.from(conversations.values(), (entry) => {
        const leftInFull = entry.schema === 'full' ? entry.messages : NOTHING;
        return [entry.id, { entry, isElsewhere: false, left: entry.messages, leftInFull }];
      }),
    );
    this.#files = new Map(files);
  }

  get isEmpty(): boolean {
    return this.#conversations.size === 0 && this.#files.size === 0;
  }

  /** The content files that were not met yet, by SHA-256. */
  get files(): ReadonlyMap<string, string> {
    return this.#files;
  }

  /** Takes away the conversations and messages that another snapshot holds, too. */
  subtractConversations(others: Contents['conversations']): void {
    for (const [id, open] of this.#conversations) {
      const other = others.get(id);
      if (other === undefined) continue;
      open.isElsewhere = true;
      open.left = recordsWithout(open.left, other.messages);
      if (other.schema === 'full') open.leftInFull = recordsWithout(open.leftInFull, other.messages);
      if (open.left.length + open.leftInFull.length === 0) this.#conversations.delete(id);
    }
  }

  /** A content file was met in another snapshot. */
  subtractFile(content: string): void {
    this.#files.delete(content);
  }

  /** Counts what is left. @param root the snapshot's directory */
  async count(root: string): Promise<Unique> {
    let [conversations, messages, fuller] = [0, 0, 0];
    for (const { isElsewhere, left, leftInFull } of this.#conversations.values()) {
      if (!isElsewhere) conversations += 1;
      else {
        messages += countRecords(left);
        fuller += countRecords(recordsWithout(leftInFull, left));
      }
    }
    const files: Record<AssetKind, number> = { image: 0, audio: 0, video: 0, other: 0 };
    for (const path of this.#files.values()) files[await kindOfAsset(root, path)] += 1;
    return { conversations, messages, fuller, files };
  }
}

/** `3 conversations and 120 images`: what would be lost. */
export function formatUnique({ conversations, messages, fuller, files }: Unique): string {
  const kinds = [
    conversations > 0 && count(conversations, 'conversation'),
    messages > 0 && count(messages, 'message'),
    fuller > 0 && `the full form of ${count(fuller, 'message')}`,
    files.image > 0 && count(files.image, 'image'),
    files.audio > 0 && count(files.audio, 'sound'),
    files.video > 0 && count(files.video, 'video'),
    files.other > 0 && count(files.other, 'other file'),
  ];
  return listed(kinds.filter((kind) => kind !== false));
}
