import { extname, join } from 'node:path';
import type { Catalog, CatalogConversation } from '../catalog/index.ts';
import type { Asset } from '../chatgpt/index.ts';
import { sha256 } from '../lib/hash.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { markdown } from './markdown.ts';
import { assetNameOf, fileNameOf } from './names.ts';
import type { Format } from './page.ts';
import { Target } from './target.ts';

export const FORMATS = { markdown, json, html } as const satisfies Record<string, Format>;
export type FormatName = keyof typeof FORMATS;

/** Another number writes every page anew: raise it when a format changes. */
const WRITING = 1;
const PAGE_SIZE = 500;

export interface ExportOptions {
  readonly format: FormatName;
  readonly account?: string | undefined;
  /** ms UTC: only conversations with messages from then on. */
  readonly since?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Numbers of conversations, and of files. */
export interface ExportReport {
  readonly written: number;
  readonly unchanged: number;
  /** Could not be read from any snapshot. */
  readonly unreadable: number;
  readonly removedFiles: number;
}

/**
 * Writes conversations as files that other programs read, each account in a directory of its own, with the files that
 * they point to in `assets/` beside them. Done again, it writes what has changed and nothing else.
 *
 * @throws ChatkeepError `usage` where the target is not ours; what the file system says; the signal's reason
 */
export async function exportConversations(
  catalog: Catalog,
  path: string,
  { format, account, since, signal, onProgress }: ExportOptions,
): Promise<ExportReport> {
  const target = await Target.open(path, format);
  const filter = { account, from: since };
  const total = catalog.count(filter);
  const report = { written: 0, unchanged: 0, unreadable: 0 };
  for (let offset = 0; offset < total; offset += PAGE_SIZE) {
    for (const conversation of catalog.conversations(filter, { limit: PAGE_SIZE, offset })) {
      signal.throwIfAborted();
      report[await exportOne(catalog, target, conversation, FORMATS[format])] += 1;
      onProgress?.(report.written + report.unchanged + report.unreadable, total);
    }
  }
  const known = knownKeys(catalog);
  return { ...report, removedFiles: await target.close((key) => known.has(key)) };
}

async function exportOne(
  catalog: Catalog,
  target: Target,
  conversation: CatalogConversation,
  format: Format,
): Promise<'written' | 'unchanged' | 'unreadable'> {
  const { account, id, digest, presence, lastSeen, head, title, createdAt } = conversation;
  const key = keyOf(conversation);
  const state = [WRITING, digest, presence, presence === 'present' ? '' : lastSeen].join(' ');
  const name = `${account}/${fileNameOf(title, id, createdAt)}`;
  // Two ids may begin alike.
  const path = `${name}${target.isTaken(`${name}${format.extension}`, key) ? ` ${key}` : ''}${format.extension}`;
  const written = await target.written(key);
  if (written?.state === state && written.path === path) return 'unchanged';
  const opened = await catalog.read(head, id);
  if (opened === undefined) return 'unreadable';
  const assets = new Map<string, string>();
  const linkTo = ({ id: asset, file, name, type }: Asset) => {
    if (file === undefined) return undefined;
    const extension = type.mime === 'application/octet-stream' ? extname(name) : type.extension;
    const link = `assets/${assetNameOf(asset, extension)}`;
    assets.set(link, file.path);
    return link;
  };
  const text = format.render({ conversation, readable: opened.readable, linkTo });
  for (const [link, file] of assets)
    await target.copy(join(opened.reader.layout.directory, file), `${account}/${link}`);
  await target.write(key, { state, path, assets: [...assets.keys()].map((link) => `${account}/${link}`) }, text);
  return 'written';
}

function keyOf({ account, id }: CatalogConversation): string {
  return sha256(`${account}/${id}`).slice(0, 32);
}

function knownKeys(catalog: Catalog): Set<string> {
  const keys = new Set<string>();
  const total = catalog.count({});
  for (let offset = 0; offset < total; offset += PAGE_SIZE)
    for (const one of catalog.conversations({}, { limit: PAGE_SIZE, offset })) keys.add(keyOf(one));
  return keys;
}
