import { asList, asNumber, asObject, asText, isObject, type JsonObject } from '../json/values.ts';

/** A piece of a message's content. Texts are as they stand in the export, citation marks included. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string; readonly language: string | undefined }
  | { readonly kind: 'execution-output'; readonly text: string }
  | {
      readonly kind: 'image';
      readonly asset: string;
      readonly width: number | undefined;
      readonly height: number | undefined;
      /** Made by ChatGPT; such files are no longer in exports since G5. */
      readonly generated: boolean;
      readonly prompt: string | undefined;
    }
  /** What was said; the words of a voice conversation are nowhere else. */
  | { readonly kind: 'transcription'; readonly text: string; readonly direction: 'in' | 'out' | undefined }
  | { readonly kind: 'audio'; readonly asset: string }
  | { readonly kind: 'video'; readonly assets: readonly string[] }
  | { readonly kind: 'thoughts'; readonly thoughts: readonly { readonly summary: string; readonly text: string }[] }
  | { readonly kind: 'reasoning-recap'; readonly text: string }
  | {
      readonly kind: 'quote';
      readonly text: string;
      readonly title: string | undefined;
      readonly url: string | undefined;
    }
  | { readonly kind: 'browsing'; readonly text: string }
  | { readonly kind: 'error'; readonly name: string | undefined; readonly text: string }
  /** What the user (or the model) has told ChatGPT about themselves and their wishes. */
  | { readonly kind: 'context'; readonly text: string }
  /** Of a kind that this version does not know; `text` is what is readable in it. */
  | { readonly kind: 'unknown'; readonly type: string; readonly text: string };

type PartReader = (content: JsonObject) => Part | undefined;

/** By `content_type`: of whole contents, and of the parts of a `multimodal_text`. */
const READERS: Readonly<Record<string, PartReader>> = {
  code: (content) => withText(content, (text) => ({ kind: 'code', text, language: asText(content.language) })),
  execution_output: (content) => withText(content, (text) => ({ kind: 'execution-output', text })),
  citable_code_output: (content) => ({
    kind: 'execution-output',
    text: asText(content.output_str) ?? readableText(content),
  }),
  computer_output: (content) => {
    const screenshot = asObject(content.screenshot);
    return screenshot === undefined ? undefined : readImage(screenshot);
  },
  image_asset_pointer: readImage,
  audio_transcription: (content) =>
    withText(content, (text) => ({ kind: 'transcription', text, direction: directionOf(content.direction) })),
  audio_asset_pointer: (content) => {
    const asset = assetOf(content.asset_pointer);
    return asset === undefined ? undefined : { kind: 'audio', asset };
  },
  real_time_user_audio_video_asset_pointer: readVideo,
  thoughts: (content) => ({
    kind: 'thoughts',
    thoughts: asList(content.thoughts).map((thought) => ({
      summary: asText(asObject(thought)?.summary) ?? '',
      text: asText(asObject(thought)?.content) ?? '',
    })),
  }),
  reasoning_recap: ({ content }) =>
    typeof content === 'string' ? { kind: 'reasoning-recap', text: content } : undefined,
  tether_quote: readQuote,
  sonic_webpage: readQuote,
  tether_browsing_display: ({ result, summary }) => ({
    kind: 'browsing',
    text: [asText(summary), asText(result)].filter((text) => text !== undefined).join('\n'),
  }),
  system_error: (content) => withText(content, (text) => ({ kind: 'error', name: asText(content.name), text })),
  user_editable_context: (content) => ({
    kind: 'context',
    text: [content.user_profile, content.user_instructions].flatMap((text) => asText(text) ?? []).join('\n\n'),
  }),
  model_editable_context: (content) => ({
    kind: 'context',
    text: asText(content.model_set_context) ?? readableText(content),
  }),
};

/** The pieces of a message's `content`, whatever it is. Each that is not known comes as `unknown`. */
export function readContent(content: JsonObject): Part[] {
  const type = asText(content.content_type);
  // Text and multimodal text; a kind that is not known and has parts is most likely one more of these.
  if (Array.isArray(content.parts)) return asList(content.parts).flatMap(readPart);
  return [readTyped(type ?? 'none', content)];
}

function readPart(part: unknown): Part[] {
  if (typeof part === 'string') return part === '' ? [] : [{ kind: 'text', text: part }];
  const content = asObject(part);
  if (content === undefined) return part === null ? [] : [{ kind: 'unknown', type: typeof part, text: String(part) }];
  return [readTyped(asText(content.content_type) ?? 'none', content)];
}

function readTyped(type: string, content: JsonObject): Part {
  const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  return read?.(content) ?? { kind: 'unknown', type, text: readableText(content) };
}

function withText(content: JsonObject, make: (text: string) => Part): Part | undefined {
  return typeof content.text === 'string' ? make(content.text) : undefined;
}

function readImage(content: JsonObject): Part | undefined {
  const asset = assetOf(content.asset_pointer);
  if (asset === undefined) return undefined;
  const metadata = asObject(content.metadata);
  const made = asObject(metadata?.dalle) ?? asObject(metadata?.generation);
  return {
    kind: 'image',
    asset,
    width: asNumber(content.width),
    height: asNumber(content.height),
    generated: made !== undefined,
    prompt: asText(made?.prompt),
  };
}

function readVideo(content: JsonObject): Part | undefined {
  const pointers = [
    content.video_container_asset_pointer,
    content.audio_asset_pointer,
    ...asList(content.frames_asset_pointers),
  ];
  const assets = pointers.flatMap((pointer) => assetOf(asObject(pointer)?.asset_pointer ?? pointer) ?? []);
  return { kind: 'video', assets };
}

function readQuote(content: JsonObject): Part | undefined {
  return withText(content, (text) => ({
    kind: 'quote',
    text,
    title: asText(content.title),
    url: asText(content.url),
  }));
}

function directionOf(value: unknown): 'in' | 'out' | undefined {
  return value === 'in' || value === 'out' ? value : undefined;
}

/** The asset's id: what follows `://` in `file-service://file-…` and `sediment://file_…`, marks behind it left out. */
export function assetOf(pointer: unknown): string | undefined {
  if (typeof pointer !== 'string') return undefined;
  const [, id] = /^[a-z-]+:\/\/([^?]+)/.exec(pointer) ?? [];
  return id === undefined ? undefined : (/file[-_][0-9A-Za-z]+/.exec(id)?.[0] ?? id);
}

/** Deeper than any content known, and shallow enough for the stack. */
const READABLE_DEPTH = 6;
const READABLE_CHARACTERS = 100_000;
/** Keys whose texts are for machines. */
const UNREADABLE = /^(?:content_type|id|.*_id|.*_pointer|type|mime_type|status)$/;

/** All texts in something unknown that a person might want to read, a line each. */
export function readableText(value: unknown): string {
  const lines: string[] = [];
  let characters = 0;
  const collect = (current: unknown, depth: number): void => {
    if (depth > READABLE_DEPTH || characters > READABLE_CHARACTERS) return;
    if (typeof current === 'string') {
      if (current.trim() !== '') lines.push(current);
      characters += current.length;
    } else if (Array.isArray(current)) {
      for (const item of current) collect(item, depth + 1);
    } else if (isObject(current)) {
      for (const [key, item] of Object.entries(current)) if (!UNREADABLE.test(key)) collect(item, depth + 1);
    }
  };
  collect(value, 0);
  return lines.join('\n');
}
