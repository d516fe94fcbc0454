import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveOf, type Capture, type HandIn } from './capture/index.ts';
import { type Clock, DAY_MS } from './lib/clock.ts';
import { asStorageError, ChatkeepError } from './lib/errors.ts';
import { makePrivateDirectory, PRIVATE_FILE_MODE, syncDirectory } from './lib/files.ts';
import type { Logger } from './lib/logger.ts';
import { printable } from './lib/printable.ts';
import { assertRoom, freeBytesOf, RESERVE_BYTES } from './lib/space.ts';

/** How a ZIP begins: a local file header (APPNOTE, section 4.3.7). */
const ZIP_BEGINS = Buffer.from('PK\u0003\u0004', 'latin1');
/** The disk is looked at again after so much was written. */
const LOOK_AT_DISK_EVERY_BYTES = 64 * 1024 * 1024;
/** How long a refused one stays, for whoever wants to look at it; they have the original besides. */
const KEEP_REFUSED_MS = 7 * DAY_MS;
const ARRIVING = '.part';

export interface UploadsOptions {
  /** Of all that is uploaded; made when it is needed. */
  readonly directory: string;
  /** The directory below the backup directory that is configured, if one is. */
  readonly account: string | undefined;
  readonly intake: { takeFile(file: HandIn): Promise<string> };
  readonly openCaptures: () => Promise<readonly Capture[]>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A file as it comes in. */
export interface Upload {
  /** As the browser calls it: anything. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** How many there will be, if that was said. */
  readonly length: number | undefined;
}

/** ZIP files that come in over the web page, and are then taken in as if they had been put into the drop folder. */
export class Uploads {
  readonly #options: UploadsOptions;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** For one more upload, in bytes. */
  async freeBytes(): Promise<number> {
    await makePrivateDirectory(this.#options.directory);
    return Math.max(0, (await freeBytesOf(this.#options.directory)) - RESERVE_BYTES);
  }

  /**
   * Receives a file and hands it to the capture that waits for it, or makes it one of its own; gives the capture's id.
   * Of one that breaks off, nothing is left.
   *
   * @throws ChatkeepError `refused` if it is no ZIP, `storage` if it does not fit; what `bytes` throws when it breaks off
   */
  async take({ name, bytes, length }: Upload): Promise<string> {
    const { directory, account, intake, logger } = this.#options;
    await makePrivateDirectory(directory);
    await this.#removeRefused();
    await assertRoom(directory, length ?? 0, 'state directory');
    const path = join(directory, `${randomUUID()}.zip`);
    const arriving = `${path}${ARRIVING}`;
    try {
      const written = await this.#write(bytes, arriving);
      logger.info({ bytes: written, file: printable(name) }, 'a file was uploaded');
      await rename(arriving, path);
      await syncDirectory(directory);
      return await intake.takeFile({ path, name: plainName(name), afterwards: 'delete', account });
    } catch (error) {
      await Promise.all([arriving, path].map((each) => rm(each, { force: true })));
      throw asStorageError(error, 'write to', directory);
    }
  }

  /** Removes what a killed process has left, and what was refused a week ago. To be called before anything is taken. */
  async sweep(): Promise<void> {
    const { directory } = this.#options;
    for (const name of await readdir(directory).catch(() => []))
      if (name.endsWith(ARRIVING)) await this.#remove(join(directory, name));
    await this.#removeRefused();
  }

  async #removeRefused(): Promise<void> {
    const { directory, openCaptures, clock } = this.#options;
    const wanted = new Set((await openCaptures()).map((capture) => archiveOf(capture)?.path));
    for (const name of await readdir(directory).catch(() => [])) {
      const path = join(directory, name);
      if (wanted.has(path) || name.endsWith(ARRIVING)) continue;
      const stats = await stat(path).catch(() => undefined);
      if (stats !== undefined && clock.now() - stats.mtimeMs > KEEP_REFUSED_MS) await this.#remove(path);
    }
  }

  /** Rubbish is no reason to refuse anybody anything. */
  async #remove(path: string): Promise<void> {
    await rm(path, { force: true }).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'a file that was uploaded, and is of no use any more, stays');
    });
  }

  async #write(bytes: AsyncIterable<Uint8Array>, path: string): Promise<number> {
    await using handle = await open(path, 'wx', PRIVATE_FILE_MODE);
    let written = 0;
    let lookAt = LOOK_AT_DISK_EVERY_BYTES;
    for await (const piece of withFirstBytes(bytes)) {
      await writeAll(handle, piece);
      written += piece.length;
      if (written < lookAt) continue;
      await assertRoom(this.#options.directory, 0, 'state directory');
      lookAt += LOOK_AT_DISK_EVERY_BYTES;
    }
    await handle.sync();
    return written;
  }
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let from = 0; from < piece.length; ) from += (await handle.write(piece, from)).bytesWritten;
}

/** The pieces as they come, once the first bytes are those of a ZIP. */
async function* withFirstBytes(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let first: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of bytes) {
    if (first === undefined) {
      yield piece;
      continue;
    }
    first = Buffer.concat([first, piece]);
    if (first.length < ZIP_BEGINS.length) continue;
    if (!first.subarray(0, ZIP_BEGINS.length).equals(ZIP_BEGINS)) break;
    yield first;
    first = undefined;
  }
  if (first === undefined) return;
  throw new ChatkeepError(
    'refused',
    first.length === 0 ? 'The file is empty.' : 'This is not a ZIP file. Choose the ZIP as ChatGPT gave it.',
  );
}

/** Without the folders that some browsers put in front. */
function plainName(name: string): string {
  return name.split(/[/\\]/).at(-1)?.slice(-200) || 'upload.zip';
}
