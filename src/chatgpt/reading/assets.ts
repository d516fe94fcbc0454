import { extname } from 'node:path';
import { type Attachment, assetsOf, type Message } from '../conversation/message.ts';
import { type AssetKind, type AssetType, sniffAsset, typeOfName, UNKNOWN_TYPE } from '../layout/asset-types.ts';
import { AssetIndex, assetIdOf, readAssetNames } from '../layout/assets.ts';
import type { ExportFile } from '../layout/files.ts';
import type { ExportLayout } from '../layout/layout.ts';

/** A file that a message points to. */
export interface Asset {
  readonly id: string;
  /** In the export; undefined where the export does not hold it: normal for generated images since G5. */
  readonly file: ExportFile | undefined;
  /** For people: as it was uploaded where that is known, else the id. It may hold any character. */
  readonly name: string;
  /** By its first bytes; by its name where these do not tell, or there are none. */
  readonly type: AssetType;
}

/** Finds the files of assets, and what they were called. */
export class AssetShelf {
  readonly #directory: string;
  readonly #index: AssetIndex;
  readonly #names: ReadonlyMap<string, string>;
  readonly #types = new Map<string, Promise<AssetType>>();

  private constructor({ directory, assets }: ExportLayout, names: ReadonlyMap<string, string>) {
    this.#directory = directory;
    this.#index = new AssetIndex(assets);
    this.#names = names;
  }

  /** @throws the signal's reason */
  static async of(layout: ExportLayout, signal?: AbortSignal): Promise<AssetShelf> {
    return new AssetShelf(layout, await readAssetNames(layout, signal));
  }

  /** Everything that a message points to, by id. */
  async assetsOf(message: Message): Promise<ReadonlyMap<string, Asset>> {
    const attachments = new Map(message.attachments.map((attachment) => [attachment.id, attachment] as const));
    const assets = new Map<string, Asset>();
    for (const id of assetsOf(message)) assets.set(id, await this.find(id, attachments.get(id)));
    return assets;
  }

  /** Never throws; an asset without a file has none. */
  async find(id: string, attachment?: Attachment): Promise<Asset> {
    const file = this.#index.fileOf(id);
    const told = this.#names.get(id) ?? attachment?.name ?? (file === undefined ? undefined : nameWithin(file.path));
    const sniffed = file === undefined ? UNKNOWN_TYPE : await this.#typeOf(file.path);
    const type =
      sniffed !== UNKNOWN_TYPE ? sniffed : (typeOfName(told ?? file?.path ?? '') ?? typeOfMime(attachment?.mime));
    const name = told ?? (type === UNKNOWN_TYPE ? id : `${id}${type.extension}`);
    return { id, file, name, type };
  }

  #typeOf(path: string): Promise<AssetType> {
    const type = this.#types.get(path) ?? sniffAsset(this.#directory, path);
    this.#types.set(path, type);
    return type;
  }
}

const UUID_NAME = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.\w+$/;

/** `file-<id>-<name>` (G2 to G4); what follows may be a UUID, which is no name. */
function nameWithin(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const id = assetIdOf(name);
  const rest = id !== undefined && name[id.length] === '-' ? name.slice(id.length + 1) : '';
  return rest === '' || extname(rest) === '' || UUID_NAME.test(rest) ? undefined : rest;
}

function typeOfMime(mime: string | undefined): AssetType {
  const kind = (['image', 'audio', 'video'] as const).find((one) => mime?.startsWith(`${one}/`));
  return kind === undefined ? UNKNOWN_TYPE : { ...UNKNOWN_TYPE, kind: kind satisfies AssetKind };
}
