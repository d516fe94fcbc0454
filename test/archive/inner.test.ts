import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  type ArchiveRefusalReason,
  inspectArchive,
  openInnerArchives,
  unpackArchive,
} from '../../src/archive/index.ts';
import { isInnerExport } from '../../src/chatgpt/index.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { createAccount, writeExport } from '../support/openai/exports/index.ts';
import { type RawEntry, rawZip } from '../support/raw-zip.ts';
import { tempDir } from '../support/temp-dir.ts';

const BUDGETS = { maxEntries: 1000, maxUnpackedBytes: 100_000_000, maxRatio: 2000 };
const INNER = 'User Online Activity/Conversations__a-chatgpt-0001.zip';

let directory: Awaited<ReturnType<typeof tempDir>>;
let archive: string;
let target: string;
beforeEach(async () => {
  directory = await tempDir();
  archive = join(directory.path, 'archive.zip');
  target = join(directory.path, 'staging');
  await mkdir(target);
});
afterEach(() => directory[Symbol.asyncDispose]());

async function open(budgets = BUDGETS) {
  const inspection = await inspectArchive(archive, { budgets });
  const unpacked = await unpackArchive(inspection, { target });
  return openInnerArchives(inspection, unpacked, { target, budgets, isInner: isInnerExport });
}

const holding = (inner: readonly RawEntry[], beside: readonly RawEntry[] = []) =>
  rawZip([{ name: INNER, content: rawZip(inner), method: 0 }, { name: 'invoices.csv', content: 'a,b' }, ...beside]);

describe('the container of the Privacy Portal', () => {
  it('has its conversations opened, and the rest kept as it is', async () => {
    const facts = await writeExport(createAccount({ seed: 'portal', conversations: 6 }), {
      generation: 'portal',
      stamp: new Date('2026-11-21T19:05:33Z'),
      to: archive,
      portalParts: 3,
    });
    const { files, opened } = await open();
    const expected = facts.entries.flatMap(({ path, bytes, sha256: digest, entries }) =>
      path.includes('/Conversations__') && entries !== undefined
        ? entries.map((inner) => [`${path.slice(0, -4)}/${inner.path}`, inner.bytes, inner.sha256])
        : [[path, bytes, digest]],
    );
    assert.deepEqual(
      files.map(({ path, bytes, sha256: digest }) => [path, bytes, digest]),
      expected,
    );
    for (const file of files) assert.equal(sha256(await readFile(join(target, file.path))), file.sha256);
    assert.deepEqual(
      opened.map(({ path, sha256: digest }) => [path, digest]),
      facts.entries.filter(({ path }) => path.includes('/Conversations__')).map((entry) => [entry.path, entry.sha256]),
    );
    for (const { path } of opened) assert.ok(!(await readdir(join(target, 'User Online Activity'))).includes(path));
  });

  it('may lie in a folder, and a ZIP in an opened one stays as it is', async () => {
    const innermost = rawZip([{ name: 'x', content: 'x' }]);
    const inner = rawZip([{ name: INNER, content: innermost, method: 0 }]);
    await writeFile(archive, rawZip([{ name: `around/${INNER}`, content: inner, method: 0 }]));
    const { files } = await open();
    assert.deepEqual(
      files.map(({ path }) => path),
      [`around/${INNER.slice(0, -4)}/${INNER}`],
    );
  });

  const cases: readonly (readonly [ArchiveRefusalReason, string, () => Buffer])[] = [
    ['parent-segment', 'a name that leads out', () => holding([{ name: '../../../x', content: 'x' }])],
    ['symbolic-link', 'a link', () => holding([{ name: 'a', content: '/etc', mode: 0o120777 }])],
    ['wrong-crc', 'damaged data', () => holding([{ name: 'a', content: 'x', crc32: 1 }])],
    ['not-a-zip', 'a name that lies', () => rawZip([{ name: INNER, content: 'hello' }])],
    ['too-large', 'too much', () => holding([{ name: 'a', content: Buffer.alloc(1_000_000) }])],
    ['duplicate-name', 'a folder of its name', () => holding([{ name: 'a' }], [{ name: `${INNER.slice(0, -4)}/a` }])],
    ['duplicate-name', 'a file of its name', () => holding([{ name: 'a' }], [{ name: INNER.slice(0, -4) }])],
  ];
  for (const [reason, what, make] of cases) {
    it(`is refused as ${reason} for ${what} in what it holds`, async () => {
      await writeFile(archive, make());
      await assert.rejects(open({ ...BUDGETS, maxUnpackedBytes: 500_000 }), { reason, class: 'refused' });
      assert.deepEqual((await readdir(directory.path)).sort(), ['archive.zip', 'staging']);
    });
  }
});
