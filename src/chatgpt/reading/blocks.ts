import { type Citation, cleanText } from '../conversation/citations.ts';
import type { Message } from '../conversation/message.ts';
import type { Part } from '../conversation/parts.ts';
import { UNKNOWN_TYPE } from '../layout/asset-types.ts';
import type { Asset } from './assets.ts';

type Resolved = 'text' | 'transcription' | 'image' | 'audio' | 'video';

/** A piece of a message as people read, see or hear it. Texts bear no citation marks. */
export type Block =
  | Exclude<Part, { readonly kind: Resolved }>
  /** Markdown. */
  | { readonly kind: 'text'; readonly text: string; readonly citations: readonly Citation[] }
  /** What was said. */
  | { readonly kind: 'transcription'; readonly text: string; readonly direction: 'in' | 'out' | undefined }
  | {
      readonly kind: 'image';
      readonly asset: Asset;
      readonly width: number | undefined;
      readonly height: number | undefined;
      readonly generated: boolean;
      readonly prompt: string | undefined;
    }
  | { readonly kind: 'audio'; readonly asset: Asset }
  | { readonly kind: 'video'; readonly assets: readonly Asset[] };

/** The pieces of a message, with the files that it points to. */
export function blocksOf(message: Message, assets: ReadonlyMap<string, Asset>): Block[] {
  const asset = (id: string): Asset => assets.get(id) ?? { id, file: undefined, name: id, type: UNKNOWN_TYPE };
  return message.parts.map((part): Block => {
    switch (part.kind) {
      case 'text':
        return { kind: 'text', ...cleanText(part.text, message) };
      case 'transcription':
        return { ...part, text: cleanText(part.text, message).text };
      case 'image': {
        const { asset: id, ...rest } = part;
        return { ...rest, asset: asset(id) };
      }
      case 'audio':
        return { kind: 'audio', asset: asset(part.asset) };
      case 'video':
        return { kind: 'video', assets: part.assets.map(asset) };
      default:
        return part;
    }
  });
}
