import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** The stamp of {@link saveHonestZip}'s entries unless given. */
export const STAMP = new Date('2026-11-21T19:05:33Z');

/** Writes a ZIP as an honest tool does (yazl). */
export async function saveHonestZip(
  path: string,
  files: Readonly<Record<string, string | Buffer>>,
  options: { mtime?: Date; zip64?: boolean; compress?: boolean } = {},
): Promise<void> {
  const zip = new ZipFile();
  const { mtime = STAMP, zip64 = false, compress = true } = options;
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) zip.addEmptyDirectory(name, { mtime });
    else zip.addBuffer(Buffer.from(content), name, { mtime, mode: 0o100600, compress, forceZip64Format: zip64 });
  }
  zip.end({ forceZip64Format: zip64, comment: '' });
  await pipeline(zip.outputStream, createWriteStream(path));
}
