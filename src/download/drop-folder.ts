import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, SECOND_MS } from '../lib/clock.ts';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { LastingTrouble } from '../lib/lasting-trouble.ts';
import type { Logger } from '../lib/logger.ts';
import { hasZipEnd, ZIP_END_BYTES } from './zip-marks.ts';

/** A file that has stopped growing. */
export interface DroppedFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  /** Names this very content of this very path: another file of the same name has another key. */
  readonly key: string;
}

/** A look at a directory costs next to nothing, works on network shares, and misses nothing. */
const SCAN_EVERY_MS = 2 * SECOND_MS;
/** A file without a ZIP's end may still be growing; after this long without a change it is what it is. */
const GIVEN_UP_GROWING_MS = 60 * SECOND_MS;

/** The key of a file as it is now, and its size. */
export async function fileKey(path: string): Promise<{ key: string; bytes: number }> {
  const { size, mtimeMs } = await stat(path);
  return { key: `${path}\u0000${size}\u0000${mtimeMs}`, bytes: size };
}

/** What the last look saw of a file. */
interface Sighting {
  readonly key: string;
  /** When it was first seen like this, ms UTC by our own clock: a file server's may be minutes off. */
  readonly since: number;
}

/** Watches a directory for ZIP files that people put in. */
export class DropFolder {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #before: ReadonlyMap<string, Sighting> = new Map();
  /** Files that have been complained of; once is enough. */
  #unreadableFiles: ReadonlySet<string> = new Set();
  #unreadable = false;
  /** By key, of the files that could not be taken in at the last look. */
  readonly #troubles = new Map<string, LastingTrouble>();

  constructor(options: { path: string; clock: Clock; logger: Logger }) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /**
   * Hands each whole file to `onFile` once it has stopped growing, and again at every look until it is gone (`onFile`
   * passes over keys that it knows); ends when the signal aborts.
   */
  async run(onFile: (file: DroppedFile) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const files = await this.#settledFiles();
      this.#forgetTroublesBut(files);
      for (const file of files) await this.#handOver(file, onFile);
      await this.#clock.sleep(SCAN_EVERY_MS, signal).catch(() => {});
    }
  }

  async #handOver(file: DroppedFile, onFile: (file: DroppedFile) => Promise<void>): Promise<void> {
    const { key, name } = file;
    try {
      await onFile(file);
      this.#troubles.get(key)?.end('a file in the drop folder could be taken in at last', { file: name });
      this.#troubles.delete(key);
    } catch (error) {
      const trouble = this.#troubles.get(key) ?? new LastingTrouble({ clock: this.#clock, logger: this.#logger });
      this.#troubles.set(key, trouble);
      trouble.tell(error, 'a file in the drop folder could not be taken in; it is tried again', { file: name });
    }
  }

  #forgetTroublesBut(files: readonly DroppedFile[]): void {
    const there = new Set(files.map(({ key }) => key));
    for (const key of this.#troubles.keys()) if (!there.has(key)) this.#troubles.delete(key);
  }

  /** Files that are the same as at the last look, and whole as far as can be seen. */
  async #settledFiles(): Promise<DroppedFile[]> {
    const settled: DroppedFile[] = [];
    const seen = new Map<string, Sighting>();
    const unreadable = new Set<string>();
    for (const name of await this.#names()) {
      const path = join(this.#path, name);
      try {
        const { key, bytes } = await fileKey(path);
        const before = this.#before.get(path);
        const since = before?.key === key ? before.since : this.#clock.now();
        seen.set(path, { key, since });
        if (before?.key !== key || bytes === 0) continue;
        if (this.#clock.now() - since >= GIVEN_UP_GROWING_MS || (await endsLikeZip(path, bytes)))
          settled.push({ path, name, bytes, key });
      } catch (error) {
        if (errorCode(error) === 'ENOENT') continue;
        unreadable.add(path);
        if (this.#unreadableFiles.has(path)) continue;
        this.#logger.warn({ file: name }, `a file in the drop folder cannot be read: ${errorMessage(error)}`);
      }
    }
    this.#before = seen;
    this.#unreadableFiles = unreadable;
    return settled;
  }

  async #names(): Promise<string[]> {
    try {
      await mkdir(this.#path, { recursive: true });
      const entries = await readdir(this.#path, { withFileTypes: true });
      this.#unreadable = false;
      return entries
        .filter((entry) => entry.isFile() && /\.zip$/i.test(entry.name) && !entry.name.startsWith('.'))
        .map(({ name }) => name)
        .sort();
    } catch (error) {
      if (!this.#unreadable) this.#logger.error({ err: error }, 'the drop folder cannot be read; it is tried on');
      this.#unreadable = true;
      return [];
    }
  }
}

async function endsLikeZip(path: string, bytes: number): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const tail = Buffer.alloc(Math.min(bytes, ZIP_END_BYTES));
    await handle.read(tail, 0, tail.length, bytes - tail.length);
    return hasZipEnd(tail);
  } finally {
    await handle.close();
  }
}
