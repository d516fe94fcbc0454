import * as z from 'zod';
import type { Asset, Block, ReadableMessage } from '../../chatgpt/index.ts';
import { escapeHtml } from '../../lib/html.ts';
import { type Allowance, SHOWN_CHARACTERS } from './allowance.ts';
import { codeBlock } from './code.ts';
import { type RenderedText, renderMarkdown, renderTyped, type Source } from './markdown.ts';
import type { BlockView, FileView, MessageView } from './questions.ts';
import { sanitised } from './sanitiser.ts';

const SHOWN_BLOCKS = 500;

export interface Rendering {
  readonly allowance: Allowance;
  /** Texts as they stand, without Markdown. */
  readonly plain: boolean;
}

/** A message as a page shows it. */
export function viewOf(message: ReadableMessage, rendering: Rendering): MessageView {
  const { id, node, role, createdAt, model, hidden, rating, alternatives } = message;
  const drawing = new Drawing(message, rendering);
  const blocks = drawing.blocks();
  const number = alternatives.indexOf(node) + 1;
  return {
    id,
    node,
    role,
    speaker: speakerOf(message),
    at: createdAt,
    model,
    hidden,
    rating,
    folded: foldedAs(message),
    blocks,
    sources: drawing.sources,
    cut: drawing.cut,
    alternative:
      alternatives.length < 2
        ? undefined
        : { number, of: alternatives.length, earlier: alternatives[number - 2], later: alternatives[number] },
  };
}

function speakerOf({ role, authorName }: ReadableMessage): string {
  const names: Readonly<Record<string, string>> = { user: 'You', assistant: 'ChatGPT', system: 'System' };
  return names[role] ?? authorName ?? (role === 'tool' ? 'Tool' : 'Unknown');
}

/** Where it is work rather than talk. */
function foldedAs({ role, authorName, recipient, hidden, blocks }: ReadableMessage): string | undefined {
  const shows = blocks.some(({ kind }) => kind === 'image' || kind === 'audio' || kind === 'video');
  if (role === 'tool') return shows ? undefined : `Output of ${authorName ?? 'a tool'}`;
  if (role === 'system' || role === 'other') return `${authorName ?? 'System'} message`;
  if (hidden) return 'Not shown in ChatGPT';
  if (recipient === undefined || isCanvas(recipient)) return undefined;
  return `To ${recipient}`;
}

function isCanvas(recipient: string | undefined): boolean {
  return recipient?.startsWith('canmore.') === true;
}

/** Draws the blocks of one message, with as much of its text as is shown. */
class Drawing {
  readonly #message: ReadableMessage;
  readonly #rendering: Rendering;
  readonly #sources = new Map<string, Source>();
  #left = SHOWN_CHARACTERS;
  cut = false;

  constructor(message: ReadableMessage, rendering: Rendering) {
    this.#message = message;
    this.#rendering = rendering;
  }

  get sources(): readonly Source[] {
    return [...this.#sources.values()];
  }

  blocks(): BlockView[] {
    const { blocks, attachments } = this.#message;
    const views: BlockView[] = [];
    for (const block of blocks.slice(0, SHOWN_BLOCKS)) {
      const before = views.at(-1);
      for (const view of this.#viewsOf(block)) {
        if (view.kind === 'spoken' && before?.kind === 'spoken') views[views.length - 1] = together(before, view);
        else views.push(view);
      }
    }
    this.cut ||= blocks.length > SHOWN_BLOCKS;
    return [...views, ...attachments.slice(0, SHOWN_BLOCKS).map((asset) => shownAs(fileOf(asset)))];
  }

  #viewsOf(block: Block): BlockView[] {
    switch (block.kind) {
      case 'text':
        return [this.#text(block.text, block.citations)];
      case 'transcription':
        return [{ kind: 'spoken', text: this.#some(block.text), files: [] }];
      case 'audio':
        return [{ kind: 'spoken', text: undefined, files: [fileOf(block.asset)] }];
      case 'video':
        return block.assets.slice(0, SHOWN_BLOCKS).map((asset) => shownAs(fileOf(asset)));
      case 'image': {
        const { asset, width, height, generated, prompt } = block;
        const file = fileOf(asset);
        const isShown = file.kind === 'image' || file.path === undefined;
        return [isShown ? { kind: 'image', file, width, height, generated, prompt } : { kind: 'file', file }];
      }
      case 'code':
        return this.#code(block.text, block.language);
      case 'execution-output':
        return [this.#monospaced(block.text, undefined)];
      case 'thoughts':
        return [{ kind: 'fold', title: 'Thoughts', blocks: [this.#text(thoughtsOf(block.thoughts), [])] }];
      case 'reasoning-recap':
        return [{ kind: 'note', title: '', text: this.#some(block.text) }];
      case 'quote': {
        const { title, url, text } = block;
        return [{ kind: 'quote', title: title ?? url ?? 'Quote', url: webAddress(url), text: this.#some(text) }];
      }
      case 'browsing':
        return [{ kind: 'fold', title: 'Search results', blocks: [this.#monospaced(block.text, undefined)] }];
      case 'error':
        return [
          {
            kind: 'note',
            title: `Error${block.name === undefined ? '' : `: ${block.name}`}`,
            text: this.#some(block.text),
          },
        ];
      case 'context':
        return [{ kind: 'fold', title: 'What ChatGPT was told about you', blocks: [this.#asTyped(block.text)] }];
      case 'unknown':
        return [
          {
            kind: 'fold',
            title: `Content of a kind that is not known (${block.type})`,
            blocks: [this.#asTyped(block.text)],
          },
        ];
    }
  }

  /** As much of a text as is still shown of this message. */
  #some(text: string): string {
    if (text.length > this.#left) this.cut = true;
    const some = text.slice(0, this.#left).toWellFormed();
    this.#left -= some.length;
    return some;
  }

  #text(text: string, citations: Extract<Block, { kind: 'text' }>['citations']): BlockView {
    if (this.#message.role === 'user' || this.#rendering.plain) return this.#asTyped(text);
    const some = this.#some(text);
    const inside = citations.filter(({ at }) => at <= some.length);
    const rendered: RenderedText = renderMarkdown(some, inside, this.#rendering.allowance);
    for (const source of rendered.sources) this.#sources.set(source.url, source);
    return { kind: 'text', html: rendered.html, typed: false };
  }

  #asTyped(text: string): BlockView {
    const some = this.#some(text);
    const html = this.#rendering.plain ? `<p>${escapeHtml(some)}</p>` : renderTyped(some, this.#rendering.allowance);
    return { kind: 'text', html, typed: true };
  }

  #monospaced(text: string, language: string | undefined): BlockView {
    const shownLanguage = language === 'unknown' || this.#rendering.plain ? undefined : language;
    return {
      kind: 'text',
      html: sanitised(codeBlock(this.#some(text), shownLanguage, this.#rendering.allowance)),
      typed: false,
    };
  }

  /** A canvas is written as code; people see the document in it. */
  #code(text: string, language: string | undefined): BlockView[] {
    const canvas = isCanvas(this.#message.recipient) ? canvasIn(text) : undefined;
    if (canvas === undefined) return [this.#monospaced(text, language ?? this.#message.recipient)];
    const { name, type, content, changes } = canvas;
    const title = `Canvas${name === undefined ? '' : `: ${name}`}`;
    if (content === undefined) return [{ kind: 'fold', title, blocks: [this.#asTyped(changes)] }];
    const codeLanguage = /^code\/(\S+)$/.exec(type ?? '')?.[1];
    const body = codeLanguage === undefined ? this.#text(content, []) : this.#monospaced(content, codeLanguage);
    return [{ kind: 'note', title, text: '' }, body];
  }
}

const canvasSchema = z.object({
  name: z.string().optional(),
  type: z.string().optional(),
  content: z.string().optional(),
  updates: z.array(z.object({ pattern: z.string(), replacement: z.string() })).optional(),
  comments: z.array(z.object({ comment: z.string() })).optional(),
});

/** What is sent to the canvas: a document, changes to one, or remarks on it. */
function canvasIn(
  text: string,
): { name: string | undefined; type: string | undefined; content: string | undefined; changes: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = canvasSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { name, type, content, updates = [], comments = [] } = parsed.data;
  const whole = updates.length === 1 && updates[0]?.pattern === '.*' ? updates[0].replacement : undefined;
  const changes = [
    ...updates.map(({ pattern, replacement }) => `Instead of: ${pattern}\n${replacement}`),
    ...comments.map(({ comment }) => `Remark: ${comment}`),
  ];
  if (content === undefined && changes.length === 0) return undefined;
  return { name, type, content: content ?? whole, changes: changes.join('\n\n') };
}

function thoughtsOf(thoughts: readonly { readonly summary: string; readonly text: string }[]): string {
  return thoughts
    .map(({ summary, text }) => [summary === '' ? '' : `**${summary}**`, text].filter((one) => one !== '').join('\n\n'))
    .join('\n\n');
}

function webAddress(url: string | undefined): string | undefined {
  return url !== undefined && /^https?:\/\//i.test(url) ? url : undefined;
}

function fileOf({ name, type, file }: Asset): FileView {
  return { name, kind: type.kind, path: file?.path, bytes: file?.bytes };
}

function shownAs(file: FileView): BlockView {
  if (file.kind === 'audio') return { kind: 'spoken', text: undefined, files: [file] };
  if (file.kind !== 'image') return { kind: 'file', file };
  return { kind: 'image', file, width: undefined, height: undefined, generated: false, prompt: undefined };
}

type Spoken = Extract<BlockView, { kind: 'spoken' }>;

/** What was said, beside its sound. */
function together(before: Spoken, next: Spoken): Spoken {
  const text = [before.text, next.text].filter((one) => one !== undefined).join('\n');
  return { kind: 'spoken', text: text === '' ? undefined : text, files: [...before.files, ...next.files] };
}
