import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { type ExportReport, exportConversations, type FormatName } from '../../src/exporting/index.ts';
import { assetNameOf, fileNameOf } from '../../src/exporting/names.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { CatalogScene, conversation, message } from '../catalog/scene.ts';
import { unpackedExport } from '../chatgpt/unpacked.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import { tempDir } from '../support/temp-dir.ts';

const signal = new AbortController().signal;

async function exportTo(
  scene: CatalogScene,
  target: string,
  format: FormatName = 'markdown',
  since?: number,
): Promise<ExportReport> {
  await scene.index();
  using catalog = scene.open();
  return await exportConversations(catalog, target, { format, since, signal });
}

async function filesIn(target: string): Promise<string[]> {
  const entries = await readdir(target, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== '.chatkeep-export.json')
    .map(({ name }) => name)
    .sort();
}

async function onlyPage(target: string): Promise<string> {
  const [name = ''] = await filesIn(target);
  return readFile(join(target, 'ada', name), 'utf8');
}

const HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>';

describe('Conversations as files', () => {
  it('are written once, and again only where something has changed', async () => {
    await using scene = await CatalogScene.make();
    await using target = await tempDir();
    scene.snapshot('2026-01-01', [
      [conversation('a', [message('a1', 'one')]), conversation('b', [message('b1', 'two')])],
    ]);
    assert.deepEqual(await exportTo(scene, target.path), { written: 2, unchanged: 0, unreadable: 0, removedFiles: 0 });
    const times = async () =>
      Promise.all(
        (await filesIn(target.path)).map(async (name) => (await stat(join(target.path, 'ada', name))).mtimeMs),
      );
    const before = await times();
    assert.deepEqual(await exportTo(scene, target.path), { written: 0, unchanged: 2, unreadable: 0, removedFiles: 0 });
    assert.deepEqual(await times(), before);
    scene.snapshot('2026-02-01', [
      [conversation('a', [message('a1', 'one'), message('a2', 'more')]), conversation('b', [message('b1', 'two')])],
    ]);
    assert.deepEqual(await exportTo(scene, target.path), { written: 1, unchanged: 1, unreadable: 0, removedFiles: 0 });
  });

  it('follow a new title, stay when the conversation is deleted, and go when no snapshot has it', async () => {
    await using scene = await CatalogScene.make();
    await using target = await tempDir();
    const [a, b] = [
      conversation('a', [message('a1', 'one')], { title: 'Old' }),
      conversation('b', [message('b1', 'two')], { title: 'Stays' }),
    ];
    scene.snapshot('2026-01-01', [[a, b]]);
    await exportTo(scene, target.path);
    scene.snapshot('2026-02-01', [[{ ...a, title: 'New' }]]);
    assert.equal((await exportTo(scene, target.path)).removedFiles, 1);
    const [renamed = '', kept = ''] = await filesIn(target.path);
    assert.ok(renamed.startsWith('0000-00-00 New ') && kept.startsWith('0000-00-00 Stays '));
    assert.match(
      await readFile(join(target.path, 'ada', kept), 'utf8'),
      /Deleted in ChatGPT; last in the export of 2026-01-01/,
    );
    scene.remove('2026-01-01');
    assert.equal((await exportTo(scene, target.path)).removedFiles, 1);
    assert.deepEqual(await filesIn(target.path), [renamed]);
  });

  it('are left where somebody has changed them, and nothing that is not ours is touched', async () => {
    await using scene = await CatalogScene.make();
    await using target = await tempDir();
    scene.snapshot('2026-01-01', [[conversation('a', [message('a1', 'one')], { title: 'Old' })]]);
    await exportTo(scene, target.path);
    const [name = ''] = await filesIn(target.path);
    await writeFile(join(target.path, 'ada', name), 'my own words');
    await writeFile(join(target.path, 'ada', 'note.md'), 'mine');
    scene.snapshot('2026-02-01', [[conversation('a', [message('a1', 'one')], { title: 'New' })]]);
    await exportTo(scene, target.path);
    assert.equal((await filesIn(target.path)).length, 3);
    assert.equal(await readFile(join(target.path, 'ada', name), 'utf8'), 'my own words');
  });

  it('are not written into a directory of other things, or of another format', async () => {
    await using scene = await CatalogScene.make();
    await using target = await tempDir();
    scene.snapshot('2026-01-01', [[conversation('a', [message('a1', 'one')])]]);
    const isUsage = (error: unknown) => error instanceof ChatkeepError && error.class === 'usage';
    await writeFile(join(target.path, 'thesis.md'), 'mine');
    await assert.rejects(exportTo(scene, target.path), isUsage);
    await rm(join(target.path, 'thesis.md'));
    await exportTo(scene, target.path);
    await assert.rejects(exportTo(scene, target.path, 'html'), isUsage);
    await writeFile(join(target.path, '.chatkeep-export.json'), '{"pages":{"x":{"path":"../../etc/passwd"}}}');
    await assert.rejects(exportTo(scene, target.path), isUsage);
  });

  it('from a day on are those with messages since', async () => {
    await using scene = await CatalogScene.make();
    await using target = await tempDir();
    const [old, young] = [
      message('a1', 'one', { at: '2025-01-01T00:00:00Z' }),
      message('b1', 'two', { at: '2026-01-01T00:00:00Z' }),
    ];
    scene.snapshot('2026-02-01', [[conversation('a', [old]), conversation('b', [young])]]);
    assert.equal((await exportTo(scene, target.path, 'json', Date.parse('2025-06-01'))).written, 1);
    assert.equal(JSON.parse(await onlyPage(target.path)).id, 'b');
  });

  it('have front matter that YAML reads, whatever the title', async () => {
    await using scene = await CatalogScene.make();
    await using target = await tempDir();
    const title = 'a: "b" #c\n--- [x] {y} \u2028 \u202e';
    scene.snapshot('2026-01-01', [[conversation('a', [message('a1', 'one')], { title })]]);
    await exportTo(scene, target.path);
    const [, front = ''] = (await onlyPage(target.path)).split(/^---$/m);
    const parsed = parse(front);
    assert.deepEqual([parsed.title, parsed.id, parsed.presence, parsed.tags], [title, 'a', 'present', ['chatgpt']]);
  });

  it('as HTML hold no script, no way out, and content only as text', async () => {
    await using scene = await CatalogScene.make();
    await using target = await tempDir();
    scene.snapshot('2026-01-01', [
      [conversation('a', [message('a1', HOSTILE, { role: HOSTILE })], { title: HOSTILE })],
    ]);
    await exportTo(scene, target.path, 'html');
    const page = await onlyPage(target.path);
    assert.ok(!/<script|<img src=x/i.test(page));
    assert.match(page, /Content-Security-Policy" content="default-src 'none'/);
    assert.ok(page.includes('&lt;script&gt;'));
  });

  for (const format of ['markdown', 'json', 'html'] as const) {
    it(`of every kind come with their files as ${format}, and every link leads to one`, async () => {
      await using unpacked = await unpackedExport(createAccount({ seed: 'files', conversations: 16 }), 'G5');
      await using scene = await CatalogScene.make();
      await using target = await tempDir();
      scene.adopt('2026-06-01', unpacked.path);
      assert.equal((await exportTo(scene, target.path, format)).written, 16);
      const names = await filesIn(target.path);
      const assets = new Set(names.filter((name) => /^file[-_]/.test(name)));
      const links = new Set<string>();
      for (const name of names.filter((one) => !assets.has(one)))
        for (const [, link = ''] of (await readFile(join(target.path, 'ada', name), 'utf8')).matchAll(
          /["(]assets\/([^")]+)/g,
        ))
          links.add(link);
      assert.ok(assets.size > 3);
      assert.deepEqual([...links].sort(), [...assets].sort());
    });
  }
});

describe('The name of a file', () => {
  it('is one that every file system takes, whatever the title and the id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (title, id) => {
        for (const name of [fileNameOf(title, id, undefined), assetNameOf(id, title)]) {
          assert.ok(!/[\p{Cc}\\/:*?"<>|#^[\]]/u.test(name) && name.isWellFormed() && !/[. ]$/.test(name), name);
          assert.ok(name.length > 0 && Buffer.byteLength(name) <= 200);
        }
      }),
    );
    assert.equal(
      fileNameOf('../../etc/passwd', 'f50c5472-75de-44a4-9df7-02d84c6d9424', 0),
      '1970-01-01 .. .. etc passwd f50c5472',
    );
    assert.equal(
      fileNameOf('京'.repeat(100), 'f50c5472-75de-44a4-9df7-02d84c6d9424', 0),
      `1970-01-01 ${'京'.repeat(50)} f50c5472`,
    );
    assert.equal(assetNameOf('file-abc', '.PNG'), 'file-abc.png');
  });
});
