import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Capture, HandIn } from '../src/capture/index.ts';
import { DAY_MS, systemClock } from '../src/lib/clock.ts';
import { ChatkeepError } from '../src/lib/errors.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { Uploads } from '../src/uploads.ts';
import { tempDir } from './support/temp-dir.ts';

const ZIP = Buffer.concat([Buffer.from('PK\u0003\u0004', 'latin1'), Buffer.alloc(100_000, 7)]);

/** An upload desk in a directory of its own, and what was handed in over it. */
async function openDesk(open: (directory: string) => readonly Capture[] = () => []) {
  const temporary = await tempDir();
  const directory = join(temporary.path, 'state', 'uploads');
  const taken: HandIn[] = [];
  const uploads = new Uploads({
    directory,
    account: 'ada',
    intake: {
      takeFile: async (file) => {
        taken.push(file);
        return 'c1';
      },
    },
    openCaptures: async () => open(directory),
    clock: systemClock,
    logger: silentLogger,
  });
  return { uploads, directory, taken, [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose]() };
}

async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

describe('An upload', () => {
  it('is handed in whole, under its name without folders, and is deleted once it is safe', async () => {
    await using desk = await openDesk();
    const bytes = pieces(ZIP.subarray(0, 1), ZIP.subarray(1, 3), ZIP.subarray(3));
    assert.equal(await desk.uploads.take({ name: 'C:\\fakepath\\a/export.zip', bytes, length: undefined }), 'c1');
    const [file] = desk.taken;
    assert.deepEqual({ ...file, path: '' }, { path: '', name: 'export.zip', afterwards: 'delete', account: 'ada' });
    assert.deepEqual(await readFile(file?.path ?? ''), ZIP);
    assert.equal((await stat(file?.path ?? '')).mode & 0o777, 0o600);
    assert.equal((await stat(desk.directory)).mode & 0o777, 0o700);
  });

  it('is refused at its first bytes where it is no ZIP', async () => {
    await using desk = await openDesk();
    async function* endless() {
      yield Buffer.from('%PDF-1.7');
      throw new Error('read on');
    }
    for (const [bytes, reason] of [
      [endless(), /This is not a ZIP file/],
      [pieces(Buffer.from('PK')), /This is not a ZIP file/],
      [pieces(), /The file is empty/],
    ] as const) {
      await assert.rejects(desk.uploads.take({ name: 'a.zip', bytes, length: undefined }), reason);
      assert.deepEqual(await readdir(desk.directory), []);
    }
    assert.deepEqual(desk.taken, []);
  });

  it('is refused before its first byte where it does not fit', async () => {
    await using desk = await openDesk();
    async function* unread(): AsyncGenerator<Uint8Array> {
      yield await Promise.reject(new Error('read'));
    }
    const refused = desk.uploads.take({ name: 'a.zip', bytes: unread(), length: 1e18 });
    await assert.rejects(refused, (error) => error instanceof ChatkeepError && error.class === 'storage');
  });

  it('leaves nothing when it breaks off', async () => {
    await using desk = await openDesk();
    async function* breaking() {
      yield ZIP;
      throw new Error('the connection was lost');
    }
    await assert.rejects(
      desk.uploads.take({ name: 'a.zip', bytes: breaking(), length: 1e6 }),
      /the connection was lost/,
    );
    assert.deepEqual(await readdir(desk.directory), []);
  });
});

describe('What uploads have left', () => {
  it('goes at the next start, but for what is still to be unpacked, and what was refused of late', async () => {
    const archive = (directory: string) => join(directory, 'unpacking.zip');
    await using desk = await openDesk((directory) => [
      {
        id: 'c1',
        exportId: undefined,
        origin: { kind: 'file', name: 'export.zip' },
        exportTime: undefined,
        account: undefined,
        foundAt: 0,
        damagedArchives: 0,
        waitedMs: 0,
        trouble: undefined,
        told: {},
        state: {
          name: 'unpacking',
          archive: { path: archive(directory), afterwards: 'delete', from: 'user' },
          attempt: 0,
        },
      },
    ]);
    await mkdir(dirname(desk.directory));
    await mkdir(desk.directory);
    const weekAgo = new Date(Date.now() - 8 * DAY_MS);
    for (const name of ['killed.zip.part', 'refused.zip', 'refused-long-ago.zip', 'unpacking.zip']) {
      await writeFile(join(desk.directory, name), ZIP);
    }
    for (const name of ['refused-long-ago.zip', 'unpacking.zip']) {
      await utimes(join(desk.directory, name), weekAgo, weekAgo);
    }
    await desk.uploads.sweep();
    assert.deepEqual((await readdir(desk.directory)).sort(), ['refused.zip', 'unpacking.zip']);
  });

  it('of what was refused long ago goes with the next upload, too, and what is just arriving stays', async () => {
    await using desk = await openDesk();
    await mkdir(desk.directory, { recursive: true });
    const weekAgo = new Date(Date.now() - 8 * DAY_MS);
    for (const name of ['refused-long-ago.zip', 'arriving.zip.part']) {
      await writeFile(join(desk.directory, name), ZIP);
      await utimes(join(desk.directory, name), weekAgo, weekAgo);
    }
    await desk.uploads.take({ name: 'a.zip', bytes: pieces(ZIP), length: undefined });
    const left = await readdir(desk.directory);
    assert.deepEqual([left.includes('refused-long-ago.zip'), left.includes('arriving.zip.part')], [false, true]);
  });

  it('is nothing before the first upload', async () => {
    await using desk = await openDesk();
    await desk.uploads.sweep();
    assert((await desk.uploads.freeBytes()) > 0);
  });
});
