import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../support/temp-dir.ts';
import { PHONE, PICTURES, SCREEN, takePictures } from './screenshots.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const PLACE = join(REPOSITORY, 'docs/screenshots');
const MOST_BYTES = 150_000;

describe('The pictures of the documentation', () => {
  it('are those that `npm run screenshots` takes, each small and of the size that it is taken in', async () => {
    assert.deepEqual((await readdir(PLACE)).sort(), PICTURES.map(({ file }) => file).sort());
    for (const { file, phone } of PICTURES) {
      const bytes = await readFile(join(PLACE, file));
      assert.deepEqual(sizeOf(bytes), phone === true ? PHONE : SCREEN, file);
      assert.ok(bytes.length < MOST_BYTES, `${file}: ${bytes.length} bytes`);
    }
  });

  it('are shown in it, each with words for those who do not see it, and no others are', async () => {
    const pages = [
      'README.md',
      ...(await readdir(join(REPOSITORY, 'docs/how-to'))).map((name) => `docs/how-to/${name}`),
    ];
    const texts = await Promise.all(pages.map((page) => readFile(join(REPOSITORY, page), 'utf8')));
    const shown = texts.flatMap((text) =>
      [...text.matchAll(/!\[([^\]]{20,})\]\((?:docs|\.\.)\/screenshots\/([^)]+)\)/g)].map(([, , file]) => file),
    );
    assert.deepEqual([...new Set(shown)].sort(), PICTURES.map(({ file }) => file).sort());
  });

  it('can be taken anew', async () => {
    await using directory = await tempDir();
    const some = PICTURES.filter(({ colorScheme, phone, around }) => colorScheme ?? phone ?? around);
    await takePictures(some, directory.path);
    assert.deepEqual((await readdir(directory.path)).sort(), some.map(({ file }) => file).sort());
    for (const { file, phone } of some)
      assert.deepEqual(sizeOf(await readFile(join(directory.path, file))), phone === true ? PHONE : SCREEN, file);
  });
});

/** Of a PNG (PNG specification, section 11.2.2: IHDR comes first). */
function sizeOf(bytes: Buffer): { width: number; height: number } {
  assert.equal(bytes.toString('latin1', 1, 4), 'PNG');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}
