import { open } from 'node:fs/promises';
import { extname, join } from 'node:path';

export type AssetKind = 'image' | 'audio' | 'video' | 'other';

/** What an asset's bytes are. */
export interface AssetType {
  readonly kind: AssetKind;
  readonly mime: string;
  /** With its dot. */
  readonly extension: string;
}

const type = (kind: AssetKind, mime: string, extension: string): AssetType => ({ kind, mime, extension });

const TYPES = {
  png: type('image', 'image/png', '.png'),
  jpeg: type('image', 'image/jpeg', '.jpg'),
  gif: type('image', 'image/gif', '.gif'),
  webp: type('image', 'image/webp', '.webp'),
  heic: type('image', 'image/heic', '.heic'),
  avif: type('image', 'image/avif', '.avif'),
  bmp: type('image', 'image/bmp', '.bmp'),
  svg: type('image', 'image/svg+xml', '.svg'),
  wav: type('audio', 'audio/wav', '.wav'),
  mp3: type('audio', 'audio/mpeg', '.mp3'),
  m4a: type('audio', 'audio/mp4', '.m4a'),
  ogg: type('audio', 'audio/ogg', '.ogg'),
  aac: type('audio', 'audio/aac', '.aac'),
  flac: type('audio', 'audio/flac', '.flac'),
  mp4: type('video', 'video/mp4', '.mp4'),
  mov: type('video', 'video/quicktime', '.mov'),
  webm: type('video', 'video/webm', '.webm'),
  pdf: type('other', 'application/pdf', '.pdf'),
} as const;

/** What nothing is known of. */
export const UNKNOWN_TYPE: AssetType = type('other', 'application/octet-stream', '.bin');

const TYPE_OF_EXTENSION: ReadonlyMap<string, AssetType> = new Map([
  ...Object.values(TYPES).map((one) => [one.extension, one] as const),
  ['.jpeg', TYPES.jpeg],
  ['.opus', TYPES.ogg],
]);

/** Flat files (G5) have an extension that says nothing. */
const TELLS_NOTHING: ReadonlySet<string> = new Set(['', '.dat', '.bin']);

/** What an asset is: by its extension, else by its first bytes. Never throws. */
export async function kindOfAsset(root: string, path: string): Promise<AssetKind> {
  const extension = extname(path).toLowerCase();
  if (!TELLS_NOTHING.has(extension)) return TYPE_OF_EXTENSION.get(extension)?.kind ?? 'other';
  return (await sniffAsset(root, path)).kind;
}

/** What an asset is, by its first bytes alone: a name may say anything. Never throws; {@link UNKNOWN_TYPE} if they do not tell. */
export async function sniffAsset(root: string, path: string): Promise<AssetType> {
  try {
    await using file = await open(join(root, path));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return typeOfBytes(buffer.subarray(0, bytesRead)) ?? UNKNOWN_TYPE;
  } catch {
    return UNKNOWN_TYPE;
  }
}

/** What a name's extension says; undefined where it says nothing that is known. */
export function typeOfName(name: string): AssetType | undefined {
  return TYPE_OF_EXTENSION.get(extname(name).toLowerCase());
}

const STARTS: readonly (readonly [string, AssetType])[] = [
  ['\x89PNG\r\n\x1a\n', TYPES.png],
  ['\xff\xd8\xff', TYPES.jpeg],
  ['GIF8', TYPES.gif],
  ['BM', TYPES.bmp],
  ['%PDF-', TYPES.pdf],
  ['\x1aE\xdf\xa3', TYPES.webm],
  ['ID3', TYPES.mp3],
  ['\xff\xfb', TYPES.mp3],
  ['\xff\xf3', TYPES.mp3],
  ['\xff\xf2', TYPES.mp3],
  ['\xff\xf1', TYPES.aac],
  ['\xff\xf9', TYPES.aac],
  ['OggS', TYPES.ogg],
  ['fLaC', TYPES.flac],
];

/** By the magic bytes of the formats; RIFF and ISO media tell their content in the bytes behind. */
function typeOfBytes(start: Buffer): AssetType | undefined {
  const text = start.toString('latin1');
  const form = text.slice(8, 12);
  if (text.startsWith('RIFF')) return form === 'WAVE' ? TYPES.wav : form === 'WEBP' ? TYPES.webp : undefined;
  if (text.slice(4, 8) === 'ftyp') return typeOfBrand(form);
  return STARTS.find(([magic]) => text.startsWith(magic))?.[1];
}

function typeOfBrand(brand: string): AssetType {
  if (brand === 'avif') return TYPES.avif;
  if (/^(?:heic|heix|mif1)/.test(brand)) return TYPES.heic;
  if (brand.startsWith('qt')) return TYPES.mov;
  return brand.startsWith('M4A') ? TYPES.m4a : TYPES.mp4;
}
