import { createHash } from 'node:crypto';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SeededRandom } from '../../test/support/openai/exports/random.ts';

export interface GrowthOptions {
  readonly seed: string;
  /** In the first export, and in the last. */
  readonly conversations: readonly [first: number, last: number];
  readonly assetBytes: readonly [first: number, last: number];
  readonly weeks: number;
  readonly conversationsPerShard: number;
}

/** About the size of one image. */
const ASSET_BYTES = 500_000;
/** A long message; with {@link FIRST_MESSAGES} a conversation is about 40 kB, as in a real export of 188 MB. */
const WORDS_PER_MESSAGE = 110;
const FIRST_MESSAGES = 50;
/** Conversations that go on each week. */
const CHANGING_SHARE = 0.03;
const WEEK_MS = 7 * 86_400_000;

interface Conversation {
  readonly id: string;
  messages: number;
}

/**
 * The exports of a growing account, one a week, each in the place of the one before: as OpenAI makes them since May 2026
 * (shared facts: "The export ZIP"). Shards are sorted by conversation id, so that a new conversation moves all that come
 * after it; chat.html repeats everything; files of conversations never change; all times are the export's.
 */
export class GrowingExport {
  readonly #directory: string;
  readonly #options: GrowthOptions;
  readonly #random: SeededRandom;
  readonly #words: readonly string[];
  readonly #conversations: Conversation[] = [];
  #assets = 0;

  constructor(directory: string, options: GrowthOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#words = Array.from({ length: 4000 }, () => this.#random.base62(this.#random.between(2, 9)).toLowerCase());
  }

  /** Makes the export of a week, from 0. */
  async make(week: number): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const { conversations, assetBytes, weeks } = this.#options;
    const share = week / (weeks - 1);
    const at = ([first, last]: readonly [number, number]) => first + (last - first) * share;
    for (const conversation of this.#conversations) {
      if (this.#random.between(0, 999) < CHANGING_SHARE * 1000) conversation.messages += 4;
    }
    while (this.#conversations.length < Math.round(at(conversations))) {
      this.#conversations.push({ id: this.#random.hex(32), messages: FIRST_MESSAGES });
    }
    for (; this.#assets < Math.round(at(assetBytes) / ASSET_BYTES); this.#assets += 1) {
      await this.#write(`file-${String(this.#assets).padStart(6, '0')}.dat`, this.#bytes(this.#assets));
    }
    await this.#writeTexts();
    const stamp = new Date(Date.UTC(2026, 0, 4) + week * WEEK_MS);
    for (const name of await readdir(this.#directory)) await utimes(join(this.#directory, name), stamp, stamp);
  }

  async #writeTexts(): Promise<void> {
    const { conversationsPerShard: perShard } = this.#options;
    const texts = this.#conversations.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((each) => this.#textOf(each));
    for (let shard = 0; shard * perShard < texts.length; shard += 1) {
      const own = texts.slice(shard * perShard, (shard + 1) * perShard);
      await this.#write(`conversations-${String(shard).padStart(3, '0')}.json`, `[\n${own.join(',\n')}\n]`);
    }
    await this.#write('chat.html', `<html><script>var jsonData = [${texts.join(',')}];</script></html>`);
    await this.#write('user.json', '{"id":"user-1","email":"ada@example.test"}');
  }

  #textOf({ id, messages }: Conversation): string {
    const nodes = Array.from({ length: messages }, (_, index) => {
      const role = index % 2 === 0 ? 'user' : 'assistant';
      return [
        `m${index}`,
        {
          id: `m${index}`,
          parent: index === 0 ? null : `m${index - 1}`,
          message: { id: `${id}-${index}`, author: { role }, content: this.#content(`${id}/${index}`) },
        },
      ];
    });
    const mapping = Object.fromEntries(nodes);
    return JSON.stringify({ id, title: id, mapping, current_node: `m${messages - 1}` }, undefined, 1);
  }

  /** The same words each time. */
  #content(seed: string): unknown {
    const digest = createHash('shake256', { outputLength: WORDS_PER_MESSAGE * 2 })
      .update(seed)
      .digest();
    const words = Array.from(
      { length: WORDS_PER_MESSAGE },
      (_, index) => this.#words[digest.readUInt16LE(index * 2) % this.#words.length],
    );
    return { content_type: 'text', parts: [words.join(' ')] };
  }

  #bytes(asset: number): Buffer {
    return createHash('shake256', { outputLength: ASSET_BYTES }).update(`${this.#options.seed}/${asset}`).digest();
  }

  #write(name: string, data: string | Buffer): Promise<void> {
    return writeFile(join(this.#directory, name), data, { mode: 0o600 });
  }
}
