import { copyFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { ChatkeepError, errorCode } from '../lib/errors.ts';
import { exists, sizeOf, writeFileDurably } from '../lib/files.ts';
import { sha256, sha256OfFile } from '../lib/hash.ts';

/** In the target: which files are ours, so that no other is ever touched. */
export const RECORD_FILE = '.chatkeep-export.json';

const relative = z.string().refine((path) => path.split('/').every((part) => !['', '.', '..'].includes(part)));
const recordSchema = z.object({
  chatkeepExport: z.literal(1),
  format: z.string(),
  pages: z.record(
    z.string(),
    z.object({ state: z.string(), path: relative, sha256: z.string(), assets: z.array(relative) }),
  ),
});

/** What was written for a conversation; paths are relative to the target, POSIX. */
export type PageRecord = z.output<typeof recordSchema>['pages'][string];

/** The directory that conversations are written to. */
export class Target {
  readonly #path: string;
  readonly #format: string;
  readonly #before: ReadonlyMap<string, PageRecord>;
  readonly #pages: Map<string, PageRecord>;
  /** Of each page's path. */
  readonly #owners: Map<string, string>;

  private constructor(path: string, format: string, pages: Readonly<Record<string, PageRecord>>) {
    this.#path = path;
    this.#format = format;
    this.#before = new Map(Object.entries(pages));
    this.#pages = new Map(this.#before);
    this.#owners = new Map(Array.from(this.#before, ([key, page]) => [page.path, key]));
  }

  /**
   * Makes it if need be.
   * @throws ChatkeepError `usage` for a directory that holds other things, or another format; what the file system says
   */
  static async open(path: string, format: string): Promise<Target> {
    await mkdir(path, { recursive: true });
    const text = await readFile(join(path, RECORD_FILE), 'utf8').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) {
      if ((await readdir(path)).length === 0) return new Target(path, format, {});
      throw new ChatkeepError('usage', `The directory ${path} holds files that are not of an export by Chatkeep.`, {
        next: 'Name a new or empty directory.',
      });
    }
    const record = parseRecord(text);
    if (record?.format === format) return new Target(path, format, record.pages);
    throw new ChatkeepError(
      'usage',
      record === undefined
        ? `The file ${RECORD_FILE} in ${path} is damaged.`
        : `The directory ${path} holds an export as ${record.format}.`,
      { next: 'Name a new or empty directory.' },
    );
  }

  /** What was written for the conversation, if it is still there. */
  async written(key: string): Promise<PageRecord | undefined> {
    const record = this.#pages.get(key);
    return record !== undefined && (await exists(join(this.#path, record.path))) ? record : undefined;
  }

  /** Whether another conversation's page is called so. */
  isTaken(path: string, key: string): boolean {
    return (this.#owners.get(path) ?? key) !== key;
  }

  /** Writes a page, unless it is there word for word, and notes that it is ours. */
  async write(key: string, page: Omit<PageRecord, 'sha256'>, text: string): Promise<void> {
    const file = join(this.#path, page.path);
    const digest = sha256(text);
    if ((await digestOf(file)) !== digest) {
      await mkdir(dirname(file), { recursive: true });
      await writeFileDurably(file, text);
    }
    this.#pages.set(key, { ...page, sha256: digest });
    this.#owners.set(page.path, key);
  }

  /** Copies an asset, unless there is one of its name and size. */
  async copy(source: string, path: string): Promise<void> {
    const file = join(this.#path, path);
    if ((await sizeOf(file)) === (await sizeOf(source))) return;
    await mkdir(dirname(file), { recursive: true });
    const temporary = `${file}.tmp`;
    await copyFile(source, temporary);
    await using copy = await open(temporary, 'r');
    await copy.chmod(0o600);
    await rename(temporary, file);
  }

  /**
   * Removes what we wrote and nothing refers to any more, and notes what there is. A page that somebody has changed
   * since is left.
   *
   * @param isThere whether a conversation is still known
   * @returns how many files were removed
   */
  async close(isThere: (key: string) => boolean): Promise<number> {
    for (const key of this.#pages.keys()) if (!isThere(key)) this.#pages.delete(key);
    const pages = new Set([...this.#pages.values()].map(({ path }) => path));
    const assets = new Set([...this.#pages.values()].flatMap((page) => page.assets));
    let removed = 0;
    for (const old of this.#before.values()) {
      if (!pages.has(old.path) && (await digestOf(join(this.#path, old.path))) === old.sha256) {
        await rm(join(this.#path, old.path));
        removed += 1;
      }
      for (const asset of old.assets) {
        if (assets.has(asset) || !(await exists(join(this.#path, asset)))) continue;
        await rm(join(this.#path, asset));
        removed += 1;
      }
    }
    const record = { chatkeepExport: 1, format: this.#format, pages: Object.fromEntries(this.#pages) };
    await writeFileDurably(join(this.#path, RECORD_FILE), `${JSON.stringify(record)}\n`);
    return removed;
  }
}

function parseRecord(text: string): z.output<typeof recordSchema> | undefined {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function digestOf(file: string): Promise<string | undefined> {
  return (await exists(file)) ? sha256OfFile(file) : undefined;
}
