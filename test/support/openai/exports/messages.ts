import type { ConversationRecipe, Theme } from './model.ts';
import { SeededRandom } from './random.ts';
import { assistantText, type Language, spokenText, userText } from './texts.ts';
import { type Asset, type Generation, isSince, type Turn, turnsOf } from './turns.ts';

type Json = Record<string, unknown>;
type Role = 'user' | 'assistant' | 'system' | 'tool';

/** A message of the full schema (to G4). */
export interface Message {
  readonly id: string;
  readonly author: { readonly role: Role; readonly name: string | null; readonly metadata: Json };
  readonly create_time: number | null;
  readonly update_time: number | null;
  readonly content: Json & { readonly content_type: string };
  readonly status: string;
  readonly end_turn: boolean | null;
  readonly weight: number;
  readonly metadata: Json;
  readonly recipient: string;
  readonly channel: string | null;
}

/** A node of the full schema's `mapping`. */
export interface TreeNode {
  readonly id: string;
  readonly message: Message | null;
  readonly parent: string | null;
  readonly children: string[];
}

export interface ConversationTree {
  readonly mapping: Record<string, TreeNode>;
  readonly currentNode: string;
  /** Pages that the answers cite; the full schema lists them as `safe_urls`. */
  readonly safeUrls: string[];
}

/**
 * The whole tree of a conversation in the full schema: system, tool and hidden messages, edits and regenerations beside
 * the main path, and every content type that the generation knows.
 */
export function buildTree(recipe: ConversationRecipe, generation: Generation): ConversationTree {
  const tree = new TreeBuilder(recipe, generation);
  for (const turn of turnsOf(recipe, generation)) tree.addTurn(turn);
  return { mapping: tree.mapping, currentNode: tree.tip, safeUrls: tree.safeUrls };
}

/** What differs from message to message; the rest is as in an ordinary text message. */
interface Draft {
  readonly role: Role;
  readonly content: Json & { readonly content_type: string };
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  readonly metadata?: Json;
  readonly hidden?: boolean;
  readonly endTurn?: boolean;
}

class TreeBuilder {
  readonly mapping: Record<string, TreeNode> = {};
  readonly safeUrls: string[] = [];
  /** The newest message of the main path. */
  tip: string;
  readonly #generation: Generation;
  readonly #language: Language;
  readonly #model: string;
  /** The tip before each turn, to come back to when a later turn leaves some aside. */
  readonly #turnStarts: string[] = [];
  #random: SeededRandom;
  #time: number;

  constructor(recipe: ConversationRecipe, generation: Generation) {
    this.#generation = generation;
    this.#language = recipe.language;
    this.#random = new SeededRandom(`tree/${recipe.seed}`);
    this.#time = recipe.createTime;
    this.#model = isSince(generation, 'G3') ? this.#random.pick(['gpt-4o', 'o3', 'gpt-5', 'gpt-5-thinking']) : 'gpt-4';
    this.tip = isSince(generation, 'G3') ? 'client-created-root' : this.#random.uuid();
    this.mapping[this.tip] = { id: this.tip, message: null, parent: null, children: [] };
    this.#addPreamble();
  }

  addTurn(turn: Turn): void {
    this.#random = new SeededRandom(`turn/${turn.seed}`);
    this.#time = turn.time;
    const start = turn.rewind === 0 ? undefined : this.#turnStarts.at(-turn.rewind);
    if (start !== undefined) {
      this.tip = start;
      this.#turnStarts.length -= turn.rewind;
    }
    this.#turnStarts.push(this.tip);
    this.#addThemed(turn);
  }

  #addPreamble(): void {
    this.#add({ role: 'system', content: { content_type: 'text', parts: [''] }, hidden: true });
    if (!this.#random.chance(0.4)) return;
    this.#add({
      role: 'user',
      content: {
        content_type: 'user_editable_context',
        user_profile:
          'The user provided the following information about themselves: I cook for four and write a little Python.',
        user_instructions: 'Be brief. No emoji, please.',
      },
      hidden: true,
      metadata: { is_user_system_message: true },
    });
  }

  #addThemed(turn: Turn): void {
    const [first, second] = turn.assets;
    const themes: Readonly<Record<Theme, () => void>> = {
      plain: () => this.#addPlain(),
      'image-upload': () => this.#addImageUpload(turn.assets),
      voice: () => first && second && this.#addSpoken(first, second),
      'live-video': () => first && second && this.#addSpoken(first, second, { withVideo: true }),
      'code-interpreter': () => this.#addCodeInterpreter(first),
      browsing: () => this.#addBrowsing(),
      'web-search': () => this.#addWebSearch(),
      'image-generation': () => first && this.#addGeneratedImage(first),
      reasoning: () => this.#addReasoning(),
      canvas: () => this.#addCanvas(),
      edited: () => this.#addEdited(),
      regenerated: () => this.#addRegenerated(),
      'system-error': () => this.#addSystemError(),
    };
    themes[turn.theme]();
  }

  #addPlain(): void {
    this.#ask();
    this.#answer();
  }

  #ask(metadata: Json = {}): void {
    this.#add({ role: 'user', content: text(userText(this.#random, this.#language)), metadata });
  }

  #answer(metadata: Json = {}, prefix = ''): void {
    const words = assistantText(this.#random, this.#language, this.#random.between(2, 9));
    this.#add({
      role: 'assistant',
      content: text(prefix + words),
      endTurn: true,
      channel: 'final',
      metadata: { finish_details: { type: 'stop', stop_tokens: [200002] }, is_complete: true, ...metadata },
    });
  }

  #addImageUpload(assets: readonly Asset[]): void {
    this.#add({
      role: 'user',
      content: {
        content_type: 'multimodal_text',
        parts: [...assets.map((asset) => imagePointer(asset, null)), userText(this.#random, this.#language)],
      },
      metadata: { attachments: assets.map(attachment) },
    });
    this.#answer();
  }

  #addSpoken(userSound: Asset, assistantSound: Asset, { withVideo } = { withVideo: false }): void {
    const spoken = {
      content_type: 'audio_transcription',
      text: spokenText(this.#random, this.#language),
      direction: 'in',
      decoding_id: null,
    };
    const sound = audioPointer(userSound);
    const sent = withVideo
      ? {
          content_type: 'real_time_user_audio_video_asset_pointer',
          expiry_datetime: null,
          frames_asset_pointers: [],
          video_container_asset_pointer: null,
          audio_asset_pointer: sound,
          audio_start_timestamp: 1.25,
        }
      : sound;
    this.#add({
      role: 'user',
      content: { content_type: 'multimodal_text', parts: [spoken, sent] },
      metadata: { voice_mode_message: true },
    });
    const answered = { ...spoken, text: spokenText(this.#random, this.#language), direction: 'out' };
    this.#add({
      role: 'assistant',
      content: { content_type: 'multimodal_text', parts: [answered, audioPointer(assistantSound)] },
      metadata: { voice_mode_message: true },
      endTurn: true,
    });
  }

  #addCodeInterpreter(asset: Asset | undefined): void {
    this.#ask(asset === undefined ? {} : { attachments: [attachment(asset)] });
    const path = `/mnt/data/${asset?.name ?? 'data.csv'}`;
    this.#add({
      role: 'assistant',
      content: {
        content_type: 'code',
        language: 'unknown',
        response_format_name: null,
        text: `import pandas as pd\n\ndf = pd.read_csv(${JSON.stringify(path)})\ndf.groupby('month')['total'].sum()`,
      },
      recipient: 'python',
      channel: 'commentary',
    });
    this.#add({
      role: 'tool',
      name: 'python',
      content: {
        content_type: 'execution_output',
        text: `month\n2024-01    ${this.#random.below(9_999)}\n2024-02    ${this.#random.below(9_999)}\nName: total, dtype: int64`,
      },
      metadata: { aggregate_result: { status: 'success', run_id: this.#random.uuid(), messages: [] } },
    });
    this.#answer();
  }

  #addBrowsing(): void {
    this.#ask();
    this.#add({
      role: 'assistant',
      content: { content_type: 'code', language: 'unknown', text: 'search("opening hours town library")' },
      recipient: 'browser',
    });
    const url = `https://www.example.org/library/${this.#random.hex(6)}?lang=en&page=1`;
    this.#add({
      role: 'tool',
      name: 'browser',
      content: {
        content_type: 'tether_browsing_display',
        result: `# 【0†Opening hours†www.example.org】\n${url}`,
        summary: null,
        assets: null,
        tether_id: null,
      },
    });
    this.#add({
      role: 'tool',
      name: 'browser',
      content: {
        content_type: 'tether_quote',
        url,
        domain: 'www.example.org',
        text: 'Monday to Friday, 9 to 18.',
        title: 'Opening hours',
      },
    });
    this.safeUrls.push(url);
    const citation = {
      start_ix: 0,
      end_ix: 11,
      citation_format_type: 'tether_og',
      metadata: { type: 'webpage', title: 'Opening hours', url, text: '', pub_date: null },
    };
    this.#answer({ citations: [citation] }, '【12†source】 ');
  }

  #addWebSearch(): void {
    this.#ask();
    const url = `https://news.example.com/${this.#random.hex(8)}?utm_source=chatgpt.com`;
    this.safeUrls.push(url);
    const cited = '\ue200cite\ue202turn0search0\ue202turn0news3\ue201';
    const entity = '\ue200entity\ue202["city","Lisbon","capital of Portugal"]\ue201';
    const references = [
      {
        matched_text: cited,
        start_idx: 0,
        end_idx: cited.length,
        alt: `([example.com](${url}))`,
        type: 'grouped_webpages',
        items: [{ title: 'A page', url, attribution: 'example.com', snippet: null }],
        fallback_items: null,
      },
      {
        matched_text: entity,
        start_idx: cited.length + 1,
        end_idx: cited.length + 1 + entity.length,
        alt: 'Lisbon',
        type: 'entity',
        name: 'Lisbon',
      },
    ];
    this.#answer({ content_references: references, search_result_groups: [], safe_urls: [url] }, `${cited} ${entity} `);
  }

  #addGeneratedImage(asset: Asset): void {
    this.#ask();
    this.#add({
      role: 'assistant',
      content: {
        content_type: 'code',
        language: 'json',
        text: '{"prompt":"a grey cat asleep on a warm laptop, watercolour","size":"1024x1024"}',
      },
      recipient: asset.kind === 'dalle' ? 'dalle.text2im' : 't2uay3k.sj1i4kz',
    });
    const generated = {
      gen_id: this.#random.base62(16),
      prompt: 'a grey cat asleep on a warm laptop, watercolour',
      seed: this.#random.uint32(),
    };
    this.#add({
      role: 'tool',
      name: asset.kind === 'dalle' ? 'dalle.text2im' : 't2uay3k.sj1i4kz',
      content: {
        content_type: 'multimodal_text',
        parts: [imagePointer(asset, asset.kind === 'dalle' ? { dalle: generated } : { generation: generated })],
      },
      metadata: { image_gen_title: 'Sleeping cat' },
      endTurn: true,
    });
  }

  #addReasoning(): void {
    this.#ask();
    this.#add({
      role: 'assistant',
      content: {
        content_type: 'thoughts',
        thoughts: [
          {
            summary: 'Weighing the options',
            content: spokenText(this.#random, this.#language),
            chunks: [],
            finished: true,
          },
        ],
        source_analysis_msg_id: this.#random.uuid(),
      },
      metadata: { reasoning_status: 'is_reasoning' },
    });
    this.#add({
      role: 'assistant',
      content: { content_type: 'reasoning_recap', content: `Thought for ${this.#random.between(4, 90)} seconds` },
      metadata: { reasoning_status: 'reasoning_ended' },
    });
    this.#answer();
  }

  #addCanvas(): void {
    this.#ask();
    const document = { name: 'letter', type: 'document', content: assistantText(this.#random, this.#language, 4) };
    this.#add({
      role: 'assistant',
      content: { content_type: 'code', language: 'json', response_format_name: null, text: JSON.stringify(document) },
      recipient: 'canmore.create_textdoc',
    });
    this.#add({
      role: 'tool',
      name: 'canmore.create_textdoc',
      content: text(
        `Successfully created text document with ID ${this.#random.hex(32)} that will be visible to the user.`,
      ),
      metadata: { canvas: { textdoc_id: this.#random.hex(32), textdoc_type: 'document', version: 1, title: 'letter' } },
    });
    this.#answer();
  }

  /** The first wording and its answer stay beside the main path. */
  #addEdited(): void {
    const before = this.tip;
    this.#ask();
    this.#answer();
    this.tip = before;
    this.#ask();
    this.#answer();
  }

  #addRegenerated(): void {
    this.#ask();
    const question = this.tip;
    this.#answer();
    this.tip = question;
    this.#answer();
  }

  #addSystemError(): void {
    this.#ask();
    this.#add({
      role: 'tool',
      name: 'python',
      content: {
        content_type: 'system_error',
        name: 'AceInternalException',
        text: 'Encountered exception: the kernel did not answer.',
      },
    });
    this.#answer();
  }

  #add(draft: Draft): void {
    const id = this.#random.uuid();
    const parent = this.tip;
    this.mapping[id] = { id, message: this.#message(id, parent, draft), parent, children: [] };
    this.mapping[parent]?.children.push(id);
    this.tip = id;
    this.#time += 1 + Math.floor(this.#random.fraction() * 4_000_000) / 1_000_000;
  }

  #message(id: string, parent: string, draft: Draft): Message {
    return {
      id,
      author: { role: draft.role, name: draft.name ?? null, metadata: {} },
      create_time: draft.role === 'system' ? null : this.#time,
      update_time: null,
      content: draft.content,
      status: 'finished_successfully',
      end_turn: draft.endTurn ?? (draft.role === 'system' ? true : null),
      weight: draft.hidden === true && draft.role === 'system' ? 0 : 1,
      metadata: {
        ...(draft.hidden === true ? { is_visually_hidden_from_conversation: true } : {}),
        ...draft.metadata,
        ...this.#commonMetadata(draft.role, parent),
      },
      recipient: draft.recipient ?? 'all',
      channel: draft.channel ?? null,
    };
  }

  #commonMetadata(role: Role, parent: string): Json {
    if (role === 'system') return {};
    const base: Json = role === 'assistant' ? { model_slug: this.#model } : {};
    if (isSince(this.#generation, 'G2'))
      Object.assign(base, { message_type: null, timestamp_: 'absolute', parent_id: parent });
    if (!isSince(this.#generation, 'G3')) return base;
    return {
      ...base,
      request_id: this.#random.hex(16),
      message_source: null,
      default_model_slug: this.#model,
      selected_github_repos: [],
      serialization_metadata: { custom_symbol_offsets: [] },
    };
  }
}

function text(words: string): Json & { content_type: string } {
  return { content_type: 'text', parts: [words] };
}

/** `file-service://file-…` for the older ids, `sediment://file_…` for the newer. */
function pointer(asset: Asset): string {
  return `${asset.fileId.startsWith('file-') ? 'file-service' : 'sediment'}://${asset.fileId}`;
}

function imagePointer(asset: Asset, metadata: Json | null): Json {
  return {
    content_type: 'image_asset_pointer',
    asset_pointer: pointer(asset),
    size_bytes: 12_345,
    width: 64,
    height: 64,
    fovea: null,
    metadata,
  };
}

function audioPointer(asset: Asset): Json {
  return {
    content_type: 'audio_asset_pointer',
    expiry_datetime: null,
    asset_pointer: pointer(asset),
    size_bytes: 12_044,
    format: 'wav',
    metadata: { start_timestamp: null, end_timestamp: null, pretokenized_vq: null, start: 0, end: 0.5 },
  };
}

function attachment(asset: Asset): Json {
  return {
    id: asset.fileId,
    name: asset.name,
    mime_type: asset.mime,
    size: 12_345,
    ...(asset.mime.startsWith('image/') ? { width: 64, height: 64 } : {}),
  };
}
