import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import {
  type AccountModel,
  type ExportFacts,
  type ExportKind,
  type ExportOptions,
  writeExport,
} from '../support/openai/exports/index.ts';
import { tempDir } from '../support/temp-dir.ts';

export const STAMP = new Date('2026-03-01T10:20:31Z');

/** An export, unpacked as a snapshot is; the archives in one of the portal are opened into folders of their names. */
export interface UnpackedExport extends AsyncDisposable {
  readonly path: string;
  readonly facts: ExportFacts;
}

export async function unpackedExport(
  model: AccountModel,
  generation: ExportKind,
  options: Partial<ExportOptions> = {},
): Promise<UnpackedExport> {
  const chunks: Buffer[] = [];
  const to = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const facts = await writeExport(model, { generation, stamp: STAMP, to, ...options });
  const directory = await tempDir();
  await unzip(Buffer.concat(chunks), directory.path);
  return { path: directory.path, facts, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

async function unzip(zip: Buffer, directory: string): Promise<void> {
  const file = await fromBufferPromise(zip);
  for await (const entry of file.eachEntry()) {
    const path = join(directory, entry.fileName);
    const content = await buffer(await file.openReadStreamPromise(entry));
    await mkdir(dirname(path), { recursive: true });
    if (path.endsWith('.zip')) await unzip(content, path.slice(0, -'.zip'.length));
    else await writeFile(path, content);
  }
}

/** Files in a directory of their own. */
export async function directoryOf(
  files: Readonly<Record<string, string | Buffer>>,
): Promise<Awaited<ReturnType<typeof tempDir>>> {
  const directory = await tempDir();
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory.path, name);
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    await writeFile(path, content);
  }
  return directory;
}
