import { isLitter } from '../../lib/litter.ts';
import { ACCOUNT_FILE } from '../account.ts';
import { type ExportFile, listFiles } from './files.ts';
import { MANIFEST_FILE, type Manifest, readManifest } from './manifest.ts';

/**
 * A directory that holds conversations. Most exports are one; a ZIP that was packed again may have it in a folder, and
 * the Privacy Portal's hold several.
 */
export interface ExportPart {
  /** Relative to the export's directory; '' is that directory itself. */
  readonly directory: string;
  /** In the order in which they belong. */
  readonly conversations: readonly ExportFile[];
  readonly account: ExportFile | undefined;
  readonly feedback: ExportFile | undefined;
  readonly sharedLinks: ExportFile | undefined;
  /** `library_files.json` and `conversation_asset_file_names.json`: the names of flat asset files (G5). */
  readonly library: ExportFile | undefined;
  readonly assetNames: ExportFile | undefined;
  readonly manifest: Manifest | undefined;
}

/** What lies where in an export. */
export interface ExportLayout {
  /** The export's directory. */
  readonly directory: string;
  readonly parts: readonly ExportPart[];
  /** Every file, but for what is not the export's own. */
  readonly files: readonly ExportFile[];
  /** What conversations point to: uploads, generated images, voice. */
  readonly assets: readonly ExportFile[];
  /** ZIPs in the export that hold conversations and were not opened (Privacy Portal). */
  readonly unopened: readonly ExportFile[];
}

const CONVERSATIONS = /^conversations(?:[-_](\d+))?\.json$/i;
const INNER_ARCHIVE = /^conversations__.*\.zip$/i;
/** Assets are called after their id; the pages of a document lie in a folder that is. */
const ASSET = /^file[-_][0-9a-z]/i;
const ASSET_FOLDER = /^(?:file[-_].+_data|dalle-generations|audio|image|user-[0-9a-z]+)$/i;

/**
 * Looks what lies where in an unpacked export of any generation, by names and places alone. Every directory that holds
 * `conversations*.json` is a part; where none does, the topmost directory with an account is taken for one without conversations.
 *
 * @throws what the file system says; the signal's reason
 */
export async function readLayout(directory: string, signal?: AbortSignal): Promise<ExportLayout> {
  const files = await listFiles(directory, signal);
  const byDirectory = Map.groupBy(files, ({ path }) => parentOf(path));
  const directories = [...byDirectory.keys()].filter((name) => hasConversations(byDirectory.get(name) ?? []));
  const parts: ExportPart[] = [];
  for (const name of directories.length > 0 ? directories.sort() : [placeOfAccount(files)])
    parts.push(await describePart(directory, name, byDirectory.get(name) ?? []));
  return {
    directory,
    parts,
    files,
    assets: files.filter(({ path }) => isAsset(path)),
    unopened: files.filter(({ path }) => INNER_ARCHIVE.test(nameOf(path))),
  };
}

/** Whether a file of an export (by its path) is one of those that hold the conversations. */
export function isConversationFile(path: string): boolean {
  return CONVERSATIONS.test(nameOf(path));
}

/** What every export makes anew, of data that is elsewhere in it or is about the account as it is now. */
const MADE_ANEW: ReadonlySet<string> = new Set([
  'chat.html',
  ACCOUNT_FILE,
  MANIFEST_FILE,
  'user_settings.json',
  'message_feedback.json',
  'model_comparisons.json',
  'shared_conversations.json',
  'library_files.json',
  'conversation_asset_file_names.json',
  'shopping.json',
  'ads.json',
]);

/**
 * Whether a file of an export (by its path) is content of its own: an asset, or of a kind that is not known. The
 * others are lists that every export makes anew, and the conversations.
 */
export function isContentFile(path: string): boolean {
  return !isConversationFile(path) && !MADE_ANEW.has(nameOf(path)) && !path.split('/').some(isLitter);
}

function hasConversations(files: readonly ExportFile[]): boolean {
  return files.some(({ path }) => CONVERSATIONS.test(nameOf(path)));
}

function placeOfAccount(files: readonly ExportFile[]): string {
  const places = files.filter(({ path }) => nameOf(path) === ACCOUNT_FILE).map(({ path }) => parentOf(path));
  return places.sort((a, b) => a.length - b.length)[0] ?? '';
}

async function describePart(root: string, directory: string, files: readonly ExportFile[]): Promise<ExportPart> {
  const named = (name: string) => files.find(({ path }) => nameOf(path) === name);
  const manifestFile = named(MANIFEST_FILE);
  const manifest = manifestFile === undefined ? undefined : await readManifest(root, manifestFile, directory);
  return {
    directory,
    conversations: inOrder(
      files.filter(({ path }) => CONVERSATIONS.test(nameOf(path))),
      manifest,
    ),
    account: named(ACCOUNT_FILE),
    feedback: named('message_feedback.json'),
    sharedLinks: named('shared_conversations.json'),
    library: named('library_files.json'),
    assetNames: named('conversation_asset_file_names.json'),
    manifest,
  };
}

/** As the manifest lists them, then by number: what it does not list is read all the same. */
function inOrder(files: readonly ExportFile[], manifest: Manifest | undefined): ExportFile[] {
  const listed = new Map(manifest?.conversations.map((path, index) => [path, index] as const));
  const rank = ({ path }: ExportFile) => listed.get(path) ?? listed.size;
  const number = ({ path }: ExportFile) => Number(CONVERSATIONS.exec(nameOf(path))?.[1] ?? -1);
  return files.toSorted((a, b) => rank(a) - rank(b) || number(a) - number(b));
}

function isAsset(path: string): boolean {
  const folder = nameOf(parentOf(path));
  return ASSET.test(nameOf(path)) || ASSET_FOLDER.test(folder);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
