import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openForWriting } from '../../src/catalog/database.ts';
import { Catalog, type CatalogSource, type IndexReport, type SearchFilter } from '../../src/catalog/index.ts';
import { type IndexOptions, indexSnapshots } from '../../src/catalog/indexing/indexer.ts';
import { tempDir } from '../support/temp-dir.ts';

export type Json = Record<string, unknown>;

export const NOW = Date.UTC(2026, 6, 1);

interface MessageOptions {
  readonly role?: string;
  readonly at?: string;
  readonly model?: string;
}

/** A message of the slim schema. */
export function message(id: string, text: string, { role = 'user', at, model }: MessageOptions = {}): Json {
  return {
    id,
    author: { role },
    create_time: at === undefined ? null : Date.parse(at) / 1000,
    content: { content_type: 'text', parts: [text] },
    ...(model === undefined ? {} : { metadata: { model_slug: model } }),
  };
}

/** A conversation of the slim schema, its messages one after another. */
export function conversation(id: string, messages: readonly Json[], more: Json = {}): Json {
  const mapping: Json = { root: { id: 'root', message: null, parent: null } };
  let parent = 'root';
  for (const one of messages) {
    mapping[String(one.id)] = { id: one.id, message: one, parent };
    parent = String(one.id);
  }
  return { id, conversation_id: id, title: `Title of ${id}`, current_node: parent, mapping, ...more };
}

/** The same in the full schema (to G4). */
export function full(slim: Json): Json {
  const mapping = Object.entries(slim.mapping as Record<string, Json>).map(([id, node]) => [
    id,
    { ...node, children: [] },
  ]);
  return { ...slim, mapping: Object.fromEntries(mapping) };
}

/** A catalog over snapshots that are made by hand. */
export class CatalogScene implements AsyncDisposable {
  readonly #directory: Awaited<ReturnType<typeof tempDir>>;
  readonly #sources = new Map<string, CatalogSource>();

  private constructor(directory: Awaited<ReturnType<typeof tempDir>>) {
    this.#directory = directory;
    mkdirSync(this.catalog);
  }

  static async make(): Promise<CatalogScene> {
    return new CatalogScene(await tempDir());
  }

  get catalog(): string {
    return join(this.#directory.path, 'catalog');
  }

  get sources(): CatalogSource[] {
    return [...this.#sources.values()];
  }

  /** A snapshot of `2026-01-01` and so on; each list is a file of conversations. */
  snapshot(day: string, files: readonly (readonly unknown[] | string | Buffer)[], account = 'ada'): CatalogSource {
    const directory = join(this.#directory.path, account, day);
    mkdirSync(directory, { recursive: true });
    for (const [index, file] of files.entries()) {
      const content = typeof file === 'string' || Buffer.isBuffer(file) ? file : JSON.stringify(file, null, 2);
      writeFileSync(join(directory, `conversations-00${index}.json`), content);
    }
    return this.adopt(day, directory, account);
  }

  /** A snapshot that lies somewhere. */
  adopt(day: string, directory: string, account = 'ada'): CatalogSource {
    const source = { account, name: day, directory, exportTime: Date.parse(day), sums: {} };
    this.#sources.set(`${account}/${day}`, source);
    return source;
  }

  remove(day: string, account = 'ada'): void {
    this.#sources.delete(`${account}/${day}`);
  }

  async index(options: IndexOptions = {}): Promise<IndexReport> {
    using database = openForWriting(this.catalog);
    return await indexSnapshots(database, this.sources, options);
  }

  open(): Catalog {
    const catalog = Catalog.open(this.catalog);
    if (catalog === undefined) throw new Error('There is no catalog.');
    return catalog;
  }

  /** The snippets of what is found, the best first. */
  async find(typed: string, filter: SearchFilter = {}): Promise<string[]> {
    using catalog = this.open();
    const { hits } = await catalog.search(typed, { filter, now: NOW, limit: 100 });
    return hits.map(({ snippet }) => snippet?.text ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}
