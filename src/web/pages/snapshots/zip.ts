import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { ZipFile } from 'yazl';
import { isContentFile } from '../../../chatgpt/index.ts';
import type { SnapshotEntries, SnapshotPlace } from '../../../snapshot/index.ts';

declare module 'yazl' {
  interface ZipFile {
    /** `onSize` is missing in the types: told the size of the ZIP, or -1 where it cannot be known. */
    end(options: undefined, onSize: (bytes: number) => void): void;
  }
}

/** As OpenAI's exports have them. */
const FILE_MODE = 0o100600;
const FOLDER_MODE = 0o40700;
/** What gets smaller; pictures, sounds and archives do not. */
const COMPRESSED = new Set(['.json', '.html', '.txt', '.csv', '.md', '.xml', '.svg', '.js', '.css', '.log', '.jsonl']);

export interface ZipOptions {
  readonly compress: boolean;
  /** When the export was made, ms UTC. */
  readonly exportTime: number;
}

export interface ZipDownload {
  readonly body: ReadableStream<Uint8Array>;
  /** Known where nothing is compressed. */
  readonly bytes: number | undefined;
}

/**
 * The export's own files of a snapshot as one ZIP, made while it is read: nothing is written to the disk, one file is open at a
 * time, and none once the reader has gone. The ZIP can be handed to Chatkeep, or to anything else that takes exports. What
 * every export makes anew has its time there, by which it is known, although an equal file of an earlier one may lie in its place.
 */
export function zipOf(
  { path: root }: SnapshotPlace,
  { files, emptyFolders }: SnapshotEntries,
  { compress, exportTime }: ZipOptions,
): ZipDownload {
  const zip = new ZipFile();
  const output = Readable.from(zip.outputStream);
  let current: Readable | undefined;
  zip.on('error', (error: Error) => output.destroy(error));
  for (const { path, bytes, modified } of files) {
    const options = {
      mtime: new Date(isContentFile(path) ? modified : Math.max(modified, exportTime)),
      mode: FILE_MODE,
      size: bytes,
      compress: compress && COMPRESSED.has(extname(path).toLowerCase()),
    };
    zip.addReadStreamLazy(path, options, (give) => {
      openToRead(join(root, path)).then(
        (stream) => {
          current = stream;
          stream.once('error', (error) => output.destroy(error));
          if (output.destroyed) stream.destroy();
          else give(undefined, stream);
        },
        (error: Error) => output.destroy(error),
      );
    });
  }
  for (const { path, modified } of emptyFolders)
    zip.addEmptyDirectory(path, { mtime: new Date(modified), mode: FOLDER_MODE });
  let total = -1;
  zip.end(undefined, (bytes) => {
    total = bytes;
  });
  finished(output)
    .catch(() => {})
    .finally(() => current?.destroy());
  return { body: Readable.toWeb(output), bytes: total === -1 ? undefined : total };
}

async function openToRead(path: string): Promise<Readable> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  return file.createReadStream();
}
