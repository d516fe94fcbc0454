import type { Dirent } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, SECOND_MS } from '../lib/clock.ts';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { LastingTrouble } from '../lib/lasting-trouble.ts';
import type { Logger } from '../lib/logger.ts';
import { type Candidate, candidatesAmong, endsLikeZip, isStillArriving, keyOf } from './dropped.ts';

/** A ZIP, or an unpacked export, that has stopped growing. */
export interface DroppedFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  /** Names this very content of this very path: another file of the same name has another key. */
  readonly key: string;
}

export interface DropFolderOptions {
  readonly path: string;
  /** Whether a folder with these names at its top is an unpacked export; others are left alone. */
  readonly isExportFolder: (names: readonly string[]) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface DropFolderHandlers {
  /** Takes a whole file in; called again at every look until it is gone. */
  readonly onFile: (file: DroppedFile) => Promise<void>;
  /** Told at the first look, and whenever something is gone: the keys of all that lies there. */
  readonly onPresent: (keys: readonly string[]) => Promise<void>;
}

/** A look at a directory costs next to nothing, works on network shares, and misses nothing. */
const SCAN_EVERY_MS = 2 * SECOND_MS;
/** Where nothing lies there. It is most of what a service does that waits for the next export. */
const SCAN_EMPTY_EVERY_MS = 5 * SECOND_MS;
/** A file without a ZIP's end, and any folder, may still be growing; after this long without a change it is what it is. */
const GIVEN_UP_GROWING_MS = 60 * SECOND_MS;
/** A folder that is whole and stays (it was refused, say) is walked through less often. */
const WALK_SETTLED_FOLDER_EVERY_MS = 30 * SECOND_MS;

/** What the last look saw of a file. */
interface Sighting {
  readonly key: string;
  readonly bytes: number;
  /** When it was first seen like this, ms UTC by our own clock: a file server's may be minutes off. */
  readonly since: number;
  /** When it was looked at, ms UTC. */
  readonly at: number;
}

/** Watches a directory for ZIP files, and folders that such were unpacked into, that people put in. */
export class DropFolder {
  readonly #options: DropFolderOptions;
  /** Undefined before the first look. */
  #before: ReadonlyMap<string, Sighting> | undefined;
  /** Files that have been complained of; once is enough. */
  #unreadableFiles: ReadonlySet<string> = new Set();
  #unreadable = false;
  /** By key, of the files that could not be taken in at the last look. */
  readonly #troubles = new Map<string, LastingTrouble>();

  constructor(options: DropFolderOptions) {
    this.#options = options;
  }

  /** Hands each whole file over once it has stopped growing, until the signal aborts. */
  async run(handlers: DropFolderHandlers, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const bookkeeping = new LastingTrouble({ clock, logger });
    while (!signal.aborted) {
      const entries = await this.#entries();
      if (entries !== undefined) {
        try {
          const files = await this.#look(entries, handlers);
          bookkeeping.end('the record of the drop folder can be kept again');
          this.#forgetTroublesBut(files);
          for (const file of files) await this.#handOver(file, handlers);
        } catch (error) {
          bookkeeping.tell(error, 'the record of the drop folder cannot be kept; it is tried again');
        }
      }
      const isEmpty = entries?.length === 0;
      await clock.sleep(isEmpty ? SCAN_EMPTY_EVERY_MS : SCAN_EVERY_MS, signal).catch(() => {});
    }
  }

  async #handOver(file: DroppedFile, { onFile }: DropFolderHandlers): Promise<void> {
    const { key, name } = file;
    try {
      await onFile(file);
      this.#troubles.get(key)?.end('a file in the drop folder could be taken in at last', { file: name });
      this.#troubles.delete(key);
    } catch (error) {
      const trouble = this.#troubles.get(key) ?? new LastingTrouble(this.#options);
      this.#troubles.set(key, trouble);
      trouble.tell(error, 'a file in the drop folder could not be taken in; it is tried again', { file: name });
    }
  }

  #forgetTroublesBut(files: readonly DroppedFile[]): void {
    const there = new Set(files.map(({ key }) => key));
    for (const key of this.#troubles.keys()) if (!there.has(key)) this.#troubles.delete(key);
  }

  /** Gives what is the same as at the last look, and whole as far as can be seen. */
  async #look(entries: readonly Dirent[], { onPresent }: DropFolderHandlers): Promise<DroppedFile[]> {
    const settled: DroppedFile[] = [];
    const seen = new Map<string, Sighting>();
    const unreadable = new Set<string>();
    const names = entries.map(({ name }) => name);
    for (const candidate of candidatesAmong(entries)) {
      const { name } = candidate;
      const path = join(this.#options.path, name);
      try {
        const sighting = await this.#sight(candidate, path);
        if (sighting === undefined) continue;
        seen.set(path, sighting);
        if (sighting.since === sighting.at || !(await this.#isWhole(candidate, path, sighting, names))) continue;
        settled.push({ path, name, bytes: sighting.bytes, key: sighting.key });
      } catch (error) {
        if (errorCode(error) === 'ENOENT') continue;
        unreadable.add(path);
        if (this.#unreadableFiles.has(path)) continue;
        this.#options.logger.warn({ file: name }, `a file in the drop folder cannot be read: ${errorMessage(error)}`);
      }
    }
    this.#unreadableFiles = unreadable;
    const keys = new Set([...seen.values()].map(({ key }) => key));
    const isAnyGone = this.#before === undefined || [...this.#before.values()].some(({ key }) => !keys.has(key));
    if (isAnyGone) await onPresent([...keys]);
    this.#before = seen;
    return settled;
  }

  /** Undefined for a folder that is no export. */
  async #sight({ form }: Candidate, path: string): Promise<Sighting | undefined> {
    const at = this.#options.clock.now();
    const before = this.#before?.get(path);
    if (form === 'folder') {
      const isSettled = before !== undefined && before.at - before.since >= GIVEN_UP_GROWING_MS;
      if (isSettled && at - before.at < WALK_SETTLED_FOLDER_EVERY_MS) return before;
      if (!this.#options.isExportFolder(await readdir(path))) return undefined;
    }
    const { key, bytes } = await keyOf(path, form);
    return { key, bytes, since: before?.key === key ? before.since : at, at };
  }

  async #isWhole(
    candidate: Candidate,
    path: string,
    { bytes, since }: Sighting,
    names: readonly string[],
  ): Promise<boolean> {
    if (candidate.form === 'zip' && (await endsLikeZip(path, bytes))) return true;
    return this.#options.clock.now() - since >= GIVEN_UP_GROWING_MS && !isStillArriving(candidate, names);
  }

  /** Undefined if the directory cannot be read. */
  async #entries(): Promise<Dirent[] | undefined> {
    const { path, logger } = this.#options;
    try {
      const entries = await entriesOf(path);
      this.#unreadable = false;
      return entries;
    } catch (error) {
      if (!this.#unreadable) logger.error({ err: error }, 'the drop folder cannot be read; it is tried on');
      this.#unreadable = true;
      return undefined;
    }
  }
}

/** Of a directory that is made where it is not there. */
async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await mkdir(path, { recursive: true });
    return [];
  }
}
