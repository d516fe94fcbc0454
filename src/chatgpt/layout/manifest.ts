import { join } from 'node:path';
import { readJson } from '../json/read-json.ts';
import { asList, asNumber, asObject, asText, isObject } from '../json/values.ts';
import type { ExportFile } from './files.ts';

export const MANIFEST_FILE = 'export_manifest.json';
const MANIFEST_MOST_BYTES = 64 * 1024 * 1024;
/** The name under which the manifest lists the shards of the conversations. */
const CONVERSATIONS = 'conversations.json';

/** What an export says of its own files (since G4). It has sizes and no hashes, and does not list itself. */
export interface Manifest {
  readonly path: string;
  /** Whether it is what it was when this was written; what could be read of it is here in any case. */
  readonly understood: boolean;
  /** By path relative to the export's directory; the size in bytes where it is told. */
  readonly files: ReadonlyMap<string, number | undefined>;
  /** The paths of the conversations' shards, in order. */
  readonly conversations: readonly string[];
}

/** Reads `export_manifest.json`. Never throws: one that cannot be read is one that is not understood. */
export async function readManifest(root: string, { path }: ExportFile, directory: string): Promise<Manifest> {
  const reading = await readJson(join(root, path), MANIFEST_MOST_BYTES).catch(() => undefined);
  const value = reading?.kind === 'read' ? reading.value : undefined;
  const placed = (name: string) => (directory === '' ? name : `${directory}/${name}`);
  const rows = asList(asObject(value)?.export_files);
  const files = rows.flatMap((row) => {
    const name = asText(asObject(row)?.path);
    return name === undefined ? [] : [[placed(name), asNumber(asObject(row)?.size_bytes)] as const];
  });
  const logical = asObject(asObject(value)?.logical_files);
  const shards = asList(asObject(logical?.[CONVERSATIONS])?.files).flatMap((name) => asText(name) ?? []);
  return {
    path,
    understood: isObject(value) && files.length > 0 && files.length === rows.length,
    files: new Map([...shards.map((name) => [placed(name), undefined] as const), ...files]),
    conversations: shards.map(placed),
  };
}
