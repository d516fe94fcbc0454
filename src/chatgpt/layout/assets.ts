import { join } from 'node:path';
import { readElements } from '../json/elements.ts';
import { readJson } from '../json/read-json.ts';
import { asObject, asText, isObject } from '../json/values.ts';
import type { ExportFile } from './files.ts';
import type { ExportLayout } from './layout.ts';

/** Finds the file of an asset by its id, whatever the generation calls it. */
export class AssetIndex {
  readonly #files = new Map<string, ExportFile>();

  constructor(assets: readonly ExportFile[]) {
    for (const file of assets) {
      for (const id of possibleIds(file.path)) if (!this.#files.has(id)) this.#files.set(id, file);
    }
  }

  /** Undefined where the export does not hold it, which is normal for generated images since G5. */
  fileOf(id: string): ExportFile | undefined {
    return this.#files.get(id);
  }
}

/** `file-` and `file_`: an id is longer than that. */
const ID_PREFIX_CHARACTERS = 5;
/** An id may itself hold a dash; more than two have not been seen. */
const MOST_IDS_OF_A_NAME = 3;

/** What a file's name may be the beginning of: `<id>.dat`, `<id>-<name>`, `<id>-<uuid>.png`. */
function possibleIds(path: string): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const ids: string[] = [];
  for (let at = ID_PREFIX_CHARACTERS; at < name.length && ids.length < MOST_IDS_OF_A_NAME; at += 1) {
    if (!/[0-9A-Za-z]/.test(name.charAt(at))) ids.push(name.slice(0, at));
  }
  return ids.length === 0 ? [name] : ids;
}

/** The id of the asset that a file is, by its name; undefined where the name does not tell (pages of a document, say). */
export function assetIdOf(path: string): string | undefined {
  return /^file[-_][0-9A-Za-z]+/.exec(path.slice(path.lastIndexOf('/') + 1))?.[0];
}

/** Whether a file was made by ChatGPT, by its place (G2 to G4): these are no longer in exports since G5. */
export function isGeneratedByPlace(path: string): boolean {
  return /(?:^|\/)(?:dalle-generations|user-[0-9A-Za-z]+|image)\/[^/]+$/.test(path);
}

const NAMES_MOST_BYTES = 64 * 1024 * 1024;

/**
 * The names that flat asset files had when they were uploaded (G5), by asset id: from `library_files.json`, else from
 * `conversation_asset_file_names.json`. Attachments of messages know some more. What cannot be read is passed over:
 * a name is a convenience.
 *
 * @throws the signal's reason
 */
export async function readAssetNames(layout: ExportLayout, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const { assetNames, library } of layout.parts) {
    if (assetNames !== undefined) await addListedNames(names, join(layout.directory, assetNames.path));
    if (library !== undefined) await addLibraryNames(names, join(layout.directory, library.path), signal);
  }
  return names;
}

async function addListedNames(names: Map<string, string>, path: string): Promise<void> {
  const reading = await readJson(path, NAMES_MOST_BYTES).catch(() => undefined);
  if (reading?.kind !== 'read') return;
  for (const [file, name] of Object.entries(asObject(reading.value) ?? {})) {
    const id = assetIdOf(file);
    if (id !== undefined && typeof name === 'string') names.set(id, lastSegment(name));
  }
}

async function addLibraryNames(names: Map<string, string>, path: string, signal?: AbortSignal): Promise<void> {
  try {
    for await (const reading of readElements(path, { isElement: isObject, signal })) {
      const row = reading.kind === 'element' ? asObject(reading.value) : undefined;
      const [id, name] = [asText(row?.file_id), asText(row?.file_name)];
      if (id !== undefined && name !== undefined) names.set(id, name);
    }
  } catch {
    signal?.throwIfAborted();
  }
}

/** Some of the names are the paths of older exports. */
function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
