import { jpegImage, noise, pdfDocument, pngImage, tableText, wavHeader, wavSound, webpImage } from './media.ts';
import type { AccountModel, ConversationRecipe } from './model.ts';
import { SeededRandom } from './random.ts';
import { type Asset, assetsOf, type Generation, isSince } from './turns.ts';
import type { PlannedEntry } from './zip.ts';

/** An asset's place in an export. */
export interface PlacedAsset {
  readonly fileId: string;
  readonly path: string;
  /** The name it was uploaded under, or its path in older exports (`conversation_asset_file_names.json`). */
  readonly originalName: string;
  readonly mime: string;
  /** Whether `library_files.json` and `conversation_asset_file_names.json` know it; some are in one, some in neither. */
  readonly inLibrary: boolean;
  readonly inNames: boolean;
  readonly entry: PlannedEntry;
}

/** Real exports compress everything; what is larger than this is stored, for the sake of speed. */
const STORE_FROM_BYTES = 1024 * 1024;
/** Extra files come in this size, so that a larger target adds files and leaves the ones before as they were. */
const BULK_FILE_BYTES = 16 * 1024 * 1024;
const WAV_HEADER_BYTES = 44;

/** The files of the conversations that this generation's exports hold, each path once. */
export function placedAssets(
  model: AccountModel,
  conversations: readonly ConversationRecipe[],
  generation: Generation,
): PlacedAsset[] {
  const byPath = new Map<string, PlacedAsset>();
  if (!isSince(generation, 'G2')) return [];
  for (const recipe of conversations) {
    for (const asset of assetsOf(recipe, generation)) {
      const path = asset.missing ? undefined : pathOf(asset, model, generation);
      if (path !== undefined && !byPath.has(path)) byPath.set(path, placed(asset, path));
      const pages = path === undefined ? undefined : pagesOf(asset, generation);
      if (pages !== undefined && !byPath.has(pages.path)) byPath.set(pages.path, pages);
    }
  }
  return [...byPath.values()];
}

function pathOf(asset: Asset, model: AccountModel, generation: Generation): string | undefined {
  const { kind, fileId, uuid, conversationId } = asset;
  if (generation === 'G5') return kind === 'upload' || kind === 'voice' ? `${fileId}.dat` : undefined;
  switch (kind) {
    case 'upload':
      return `${fileId}-${asset.name}`;
    case 'dalle':
      return `dalle-generations/${fileId}-${uuid}.webp`;
    case 'voice':
      return `${conversationId}/audio/${fileId}-${uuid}.wav`;
    case 'generated':
      if (!isSince(generation, 'G3')) return undefined;
      return generation === 'G4' && isSpread(asset, 8)
        ? `${conversationId}/image/${fileId}-${uuid}.png`
        : `${model.userId}/${fileId}-${uuid}.png`;
  }
}

/** A document's pages as pictures: `file-<id>_data/*.jpg` (G3, G4). */
function pagesOf(asset: Asset, generation: Generation): PlacedAsset | undefined {
  const isDocument = asset.kind === 'upload' && !asset.mime.startsWith('image/');
  if (!isDocument || (generation !== 'G3' && generation !== 'G4')) return undefined;
  const path = `${asset.fileId}_data/page_1.jpg`;
  return {
    fileId: asset.fileId,
    path,
    originalName: path,
    mime: 'image/jpeg',
    inLibrary: false,
    inNames: false,
    entry: { path, method: 'deflate', content: () => [jpegImage(path)] },
  };
}

function placed(asset: Asset, path: string): PlacedAsset {
  const voicePath = `${asset.conversationId}/audio/${asset.fileId}-${asset.uuid}.wav`;
  return {
    fileId: asset.fileId,
    path,
    originalName: asset.kind === 'voice' ? voicePath : asset.name,
    mime: asset.mime,
    inLibrary: asset.kind === 'upload' && isSpread(asset, 8),
    inNames: isSpread(asset, 14),
    entry: { path, method: 'deflate', content: () => [contentOf(asset)] },
  };
}

/** True for `sixteenths` of all assets, always the same ones. */
function isSpread(asset: Asset, sixteenths: number): boolean {
  return Number.parseInt(asset.uuid.charAt(0), 16) < sixteenths;
}

function contentOf(asset: Asset): Buffer {
  switch (asset.mime) {
    case 'image/png':
      return pngImage(asset.fileId);
    case 'image/jpeg':
      return jpegImage(asset.fileId);
    case 'image/webp':
      return webpImage(asset.fileId);
    case 'audio/wav':
      return wavSound(asset.fileId);
    case 'application/pdf':
      return pdfDocument(asset.fileId);
    default:
      return tableText(asset.fileId);
  }
}

/** Long sound recordings in the account's library, `bytes` in all: what brings an export's assets to a size. */
export function bulkAssets(model: AccountModel, bytes: number, generation: Generation): PlacedAsset[] {
  const assets: PlacedAsset[] = [];
  for (let done = 0, index = 0; done < bytes; index += 1) {
    const size = Math.max(WAV_HEADER_BYTES, Math.min(BULK_FILE_BYTES, bytes - done));
    assets.push(bulkAsset(model, { index, size, generation }));
    done += size;
  }
  return assets;
}

function bulkAsset(
  model: AccountModel,
  { index, size, generation }: { index: number; size: number; generation: Generation },
): PlacedAsset {
  const seed = `${model.seed}/bulk/${index}`;
  const fileId = `file-${new SeededRandom(`assets/${seed}`).base62(22)}`;
  const name = `Field recording ${String(index + 1).padStart(4, '0')}.wav`;
  const path = generation === 'G5' ? `${fileId}.dat` : `${fileId}-${name}`;
  const content = function* (): Generator<Buffer> {
    yield wavHeader(size - WAV_HEADER_BYTES);
    yield* noise(seed, size - WAV_HEADER_BYTES);
  };
  const method = size >= STORE_FROM_BYTES ? 'store' : 'deflate';
  return {
    fileId,
    path,
    originalName: name,
    mime: 'audio/wav',
    inLibrary: true,
    inNames: true,
    entry: { path, method, content },
  };
}
