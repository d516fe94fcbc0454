import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PRIVATE_FILE_MODE } from '../../../../src/lib/files.ts';
import { bulkAssets, placedAssets } from './assets.ts';
import { type Ledger, layOut } from './layout.ts';
import { type AccountModel, type ConversationRecipe, fillerRecipe } from './model.ts';
import { type PortalOptions, portalEntries } from './portal.ts';
import { SeededRandom } from './random.ts';
import { renderConversation } from './schemas.ts';
import type { Generation } from './turns.ts';
import { type EntryFacts, type PlannedEntry, type ZipOptions, zipStream } from './zip.ts';

export {
  type AccountModel,
  type AccountOptions,
  type ConversationRecipe,
  createAccount,
  type NextExportOptions,
  nextExport,
} from './model.ts';
export { GENERATIONS, type Generation } from './turns.ts';
export type { EntryFacts } from './zip.ts';

/** A generation of the export's format, or the ZIP of the Privacy Portal, which holds whole G5 exports. */
export type ExportKind = Generation | 'portal';

export interface ExportOptions {
  readonly generation: ExportKind;
  /** When the export was made: in the suggested name, and the modification time of every entry. */
  readonly stamp: Date;
  /** Where the ZIP goes: a file (made or replaced, 0600) or a stream (ended afterwards). */
  readonly to: string | Writable;
  /** Bring the conversations' JSON to about this size (within some per cent), bytes; `chat.html` repeats it. */
  readonly conversationsBytes?: number;
  /** Bring the assets to about this size, bytes. */
  readonly assetBytes?: number;
  /** ZIP64 records although the sizes do not ask for them. */
  readonly forceZip64?: boolean;
  /**
   * How the entries tell their time: `extended` (default) by the UTC timestamp of extra field 0x5455 beside the DOS
   * fields; `dos` by the DOS fields alone, as Python's zipfile writes them (2 s resolution). Both say the stamp in UTC.
   */
  readonly timestamps?: 'extended' | 'dos';
  /**
   * Nothing has happened in the account: the same bytes are in every export of the same model. Unless told, its settings
   * were touched when the export was made, so that two exports differ as those of a living account do.
   */
  readonly untouched?: boolean;
  /** Over how many inner ZIPs the conversations of a portal export are spread; 2 unless told. */
  readonly portalParts?: number;
  readonly signal?: AbortSignal;
}

/** What an export turned out to be. */
export interface ExportFacts {
  /** `<64 hex>-YYYY-MM-DD-HH-MM-SS[-<32 hex>].zip` */
  readonly name: string;
  readonly stamp: Date;
  readonly bytes: number;
  /** SHA-256 of the ZIP, 64 hex digits. */
  readonly sha256: string;
  /** In the order of the ZIP. */
  readonly entries: readonly EntryFacts[];
  readonly conversations: number;
  /** Messages of any role, on and off the main paths, as this generation's schema holds them. */
  readonly messages: number;
}

const DEFAULT_PORTAL_PARTS = 2;

/**
 * The name that the link's `id` and the browser give an export; the 64 hex digits are the account's own. Names end in
 * another 32 hex digits since the links need a login (G3).
 */
export function exportName(model: AccountModel, generation: ExportKind, stamp: Date): string {
  const moment = stamp.toISOString().slice(0, 19).replace(/[T:]/g, '-');
  const suffix = new SeededRandom(`name/${model.exportKey}/${moment}`).hex(32);
  return `${model.exportKey}-${moment}${generation === 'G1' || generation === 'G2' ? '' : `-${suffix}`}.zip`;
}

/**
 * Writes an export of the account: the same account and options give the same bytes. Nothing of it is held whole, so
 * that it can be of any size.
 *
 * @throws the signal's reason when it aborts, or what the file system says; the file is then removed
 * @throws RangeError if assets are asked of a G1 export, which has none
 */
export async function writeExport(model: AccountModel, options: ExportOptions): Promise<ExportFacts> {
  const { generation, stamp, to, signal } = options;
  const zipOptions: ZipOptions = {
    stamp,
    forceZip64: options.forceZip64 ?? false,
    timestamps: options.timestamps ?? 'extended',
  };
  const ledger: Ledger = { written: [], tally: { messages: 0 }, conversationBytes: 0 };
  const plan = planExport(model, options, { zipOptions, ledger });
  const hash = createHash('sha256');
  let bytes = 0;
  const measured = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  const out = typeof to === 'string' ? createWriteStream(to, { mode: PRIVATE_FILE_MODE }) : to;
  try {
    const zip = zipStream(plan.entries, zipOptions, ledger.written);
    await pipeline(zip, measured, out, signal === undefined ? {} : { signal });
  } catch (error) {
    if (typeof to === 'string') await rm(to, { force: true });
    signal?.throwIfAborted();
    throw error;
  }
  return {
    name: exportName(model, generation, stamp),
    stamp,
    bytes,
    sha256: hash.digest('hex'),
    entries: ledger.written,
    conversations: plan.conversations,
    messages: ledger.tally.messages,
  };
}

interface Plan {
  readonly entries: readonly PlannedEntry[];
  readonly conversations: number;
}

function planExport(
  model: AccountModel,
  options: ExportOptions,
  { zipOptions, ledger }: { zipOptions: ZipOptions; ledger: Ledger },
): Plan {
  const generation = options.generation === 'portal' ? 'G5' : options.generation;
  const conversations = [...model.conversations, ...fillers(model, generation, options.conversationsBytes ?? 0)];
  const own = placedAssets(model, conversations, generation);
  const assetBytes = options.assetBytes ?? 0;
  if (assetBytes > 0 && generation === 'G1') throw new RangeError('G1 exports hold no assets');
  const bulk = bulkAssets(model, assetBytes - own.length * TYPICAL_ASSET_BYTES, generation);
  const assets = [...own, ...bulk];
  const touchedAt = options.untouched === true ? undefined : options.stamp;
  if (options.generation !== 'portal') {
    return {
      entries: layOut({ model, generation, conversations, assets, touchedAt }, ledger),
      conversations: conversations.length,
    };
  }
  const parts = options.portalParts ?? DEFAULT_PORTAL_PARTS;
  const portal: PortalOptions = { model, conversations, bulk, parts, zipOptions, touchedAt };
  return { entries: portalEntries(portal, ledger), conversations: conversations.length };
}

/** Between a JPEG of half a kilobyte and a sound of twelve. */
const TYPICAL_ASSET_BYTES = 8_000;
const SAMPLE_CONVERSATIONS = 24;

/** As many further conversations as bring the account's own to about `bytes` of JSON, by the mean of a sample. */
function fillers(model: AccountModel, generation: Generation, bytes: number): ConversationRecipe[] {
  if (bytes === 0) return [];
  const sample = Array.from({ length: SAMPLE_CONVERSATIONS }, (_, index) => fillerRecipe(model, index));
  const own = meanBytes(model.conversations.slice(0, SAMPLE_CONVERSATIONS), generation) * model.conversations.length;
  const needed = Math.max(0, Math.round((bytes - own) / meanBytes(sample, generation)));
  return Array.from({ length: needed }, (_, index) => fillerRecipe(model, index));
}

function meanBytes(recipes: readonly ConversationRecipe[], generation: Generation): number {
  const total = recipes.reduce(
    (sum, recipe) => sum + Buffer.byteLength(renderConversation(recipe, generation).json),
    0,
  );
  return total / Math.max(1, recipes.length);
}
