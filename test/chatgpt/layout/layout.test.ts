import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  AssetIndex,
  kindOfAsset,
  readAssetNames,
  readFeedback,
  readLayout,
  readSharedLinks,
  takeInventory,
} from '../../../src/chatgpt/index.ts';
import { createAccount, GENERATIONS } from '../../support/openai/exports/index.ts';
import { directoryOf, unpackedExport } from '../unpacked.ts';

const LIST = '[{"id":"c","mapping":{}}]';

async function layoutOf(files: Readonly<Record<string, string | Buffer>>) {
  await using directory = await directoryOf(files);
  return await readLayout(directory.path);
}

describe('The layout of an export', () => {
  it('has shards in the order of their numbers', async () => {
    const { parts } = await layoutOf({
      'conversations-10.json': LIST,
      'conversations-9.json': LIST,
      'conversations-000.json': LIST,
    });
    assert.deepEqual(
      parts[0]?.conversations.map(({ path }) => path),
      ['conversations-000.json', 'conversations-9.json', 'conversations-10.json'],
    );
  });

  it('has them in the order of the manifest where there is one, and those it does not list behind', async () => {
    const manifest = {
      export_files: [],
      logical_files: { 'conversations.json': { files: ['conversations-2.json', 'conversations-1.json'] } },
    };
    const { parts } = await layoutOf({
      'conversations-0.json': LIST,
      'conversations-1.json': LIST,
      'conversations-2.json': LIST,
      'export_manifest.json': JSON.stringify(manifest),
    });
    assert.deepEqual(
      parts[0]?.conversations.map(({ path }) => path),
      ['conversations-2.json', 'conversations-1.json', 'conversations-0.json'],
    );
  });

  it('finds an export in a folder, and passes over what is not its own', async () => {
    const { parts, files } = await layoutOf({
      'my export/conversations.json': LIST,
      'my export/user.json': '{}',
      '__MACOSX/my export/._conversations.json': 'x',
      '.chatkeep/snapshot.json': '{}',
    });
    assert.deepEqual(
      parts.map(({ directory, account }) => [directory, account?.path]),
      [['my export', 'my export/user.json']],
    );
    assert.equal(files.length, 2);
  });

  it('takes every directory with conversations for a part', async () => {
    await using portal = await unpackedExport(createAccount({ seed: 'portal', conversations: 4 }), 'portal', {
      portalParts: 3,
    });
    const { parts } = await readLayout(portal.path);
    assert.equal(parts.length, 3);
    assert.ok(
      parts.every(
        ({ directory, manifest, library }) =>
          directory.startsWith('User Online Activity/') && manifest?.understood && library,
      ),
    );
  });

  it('does not follow links', async () => {
    await using directory = await directoryOf({ 'conversations.json': LIST });
    await symlink('/etc/passwd', join(directory.path, 'conversations-1.json'));
    await symlink('/etc', join(directory.path, 'etc'));
    assert.deepEqual(
      (await readLayout(directory.path)).files.map(({ path }) => path),
      ['conversations.json'],
    );
  });
});

describe('The manifest of an export', () => {
  const files = { 'conversations-000.json': LIST, 'file-1.dat': 'abc', 'chat.html': 'page' };
  const row = (path: string, size: number) => ({ path, size_bytes: size });
  const whole = [row('conversations-000.json', LIST.length), row('file-1.dat', 3), row('chat.html', 4)];

  async function reportsFor(manifest: unknown, folder = '') {
    const named = Object.entries({ ...files, 'export_manifest.json': JSON.stringify(manifest) });
    await using directory = await directoryOf(
      Object.fromEntries(named.map(([name, content]) => [folder + name, content])),
    );
    const { reports } = await takeInventory(directory.path);
    return Object.fromEntries(
      Object.entries(reports).map(([reason, { places }]) => [reason, places.map(({ file }) => file)]),
    );
  }

  it('that fits the files says nothing, in a folder, too', async () => {
    assert.deepEqual(await reportsFor({ export_files: whole }), {});
    assert.deepEqual(await reportsFor({ export_files: whole }, 'folder/'), {});
  });

  it('tells which files are missing, and which are of another size', async () => {
    const rows = [...whole.slice(0, 2), row('chat.html', 5), row('file-2.dat', 9), row('../../etc/passwd', 1)];
    assert.deepEqual(await reportsFor({ export_files: rows }), {
      'file-missing': ['file-2.dat', '../../etc/passwd'],
      'file-wrong-size': ['chat.html'],
    });
  });

  it('tells which shards are missing, by its list of these alone', async () => {
    const logical = { 'conversations.json': { files: ['conversations-000.json', 'conversations-001.json'] } };
    assert.deepEqual(await reportsFor({ export_files: whole, logical_files: logical }), {
      'file-missing': ['conversations-001.json'],
    });
  });

  it('of another form is reported, and what can be read of it is looked at', async () => {
    for (const other of [null, [], 'no', {}, { export_files: {} }, { export_files: [] }])
      assert.deepEqual(await reportsFor(other), { 'manifest-not-understood': ['export_manifest.json'] });
    const half = await reportsFor({ export_files: [...whole, 3, row('gone', 1)] });
    assert.deepEqual(half, { 'manifest-not-understood': ['export_manifest.json'], 'file-missing': ['gone'] });
  });
});

describe('The assets of an export', () => {
  it('are found by their id, whatever the generation calls the file', () => {
    const paths = [
      'file-AbC-my photo #1.png',
      'x/audio/file_0a-11-22.wav',
      'dalle-generations/file-Dal-uuid.webp',
      'file_ff.dat',
      'file-AbCD.dat',
      'odd-id-3.bin',
    ];
    const index = new AssetIndex(paths.map((path) => ({ path, bytes: 1 })));
    const found = ['file-AbC', 'file_0a', 'file-Dal', 'file_ff', 'file-AbCD', 'odd-id-3', 'file-Ab', 'file'].map(
      (id) => index.fileOf(id)?.path,
    );
    assert.deepEqual(found, [...paths, undefined, undefined]);
  });

  it('are known by their first bytes where the name says nothing', async () => {
    const files: Readonly<Record<string, [string, string]>> = {
      'a.dat': ['\x89PNG\r\n\x1a\n0000', 'image'],
      'b.dat': ['\xff\xd8\xff\xe0', 'image'],
      'c.dat': ['RIFF0000WAVEfmt ', 'audio'],
      'd.dat': ['RIFF0000WEBPVP8 ', 'image'],
      'e.dat': ['%PDF-1.7', 'other'],
      'f.dat': ['', 'other'],
      'g.dat': ['0000ftypM4A 0000', 'audio'],
      'h.dat': ['0000ftypisom0000', 'video'],
      'i.dat': ['0000ftypheic0000', 'image'],
      'j.dat': ['\x1aE\xdf\xa3', 'video'],
      'k.dat': ['OggS', 'audio'],
      'l.png': ['anything', 'image'],
      'm.txt': ['\x89PNG\r\n\x1a\n0000', 'other'],
    };
    await using directory = await directoryOf(
      Object.fromEntries(Object.entries(files).map(([name, [start]]) => [name, Buffer.from(start, 'latin1')])),
    );
    for (const [name, [, kind]] of Object.entries(files))
      assert.equal(await kindOfAsset(directory.path, name), kind, name);
    assert.equal(await kindOfAsset(directory.path, 'gone.dat'), 'other');
  });

  it('have the names they were uploaded under: from the library, else from the list of names', async () => {
    await using directory = await directoryOf({
      'conversations-000.json': LIST,
      'library_files.json': JSON.stringify([{ file_id: 'file-1', file_name: 'one #1.png' }, 7, { file_id: 3 }]),
      'conversation_asset_file_names.json': JSON.stringify({
        'file-1.dat': 'other.png',
        'file_2.dat': 'c/audio/two.wav',
        x: 4,
      }),
    });
    const names = await readAssetNames(await readLayout(directory.path));
    assert.deepEqual([...names].sort(), [
      ['file-1', 'one #1.png'],
      ['file_2', 'two.wav'],
    ]);
  });

  it('have no names where the lists are broken', async () => {
    await using directory = await directoryOf({
      'conversations.json': LIST,
      'library_files.json': '[{',
      'conversation_asset_file_names.json': '[',
    });
    assert.deepEqual(await readAssetNames(await readLayout(directory.path)), new Map());
  });

  it('have a name in G5 for most of their files', async () => {
    await using unpacked = await unpackedExport(createAccount({ seed: 'names', conversations: 60 }), 'G5');
    const layout = await readLayout(unpacked.path);
    const names = await readAssetNames(layout);
    const ids = layout.assets.map(({ path }) => path.slice(0, -'.dat'.length));
    assert.ok(ids.filter((id) => names.has(id)).length > ids.length * 0.7);
    assert.ok(
      [...names.values()].some((name) => name.includes('\u202f')) &&
        ![...names.values()].some((name) => name.includes('/')),
    );
  });
});

describe('Feedback and shared links', () => {
  it('are read in every generation', async () => {
    const account = createAccount({ seed: 'side files', conversations: 60 });
    for (const generation of GENERATIONS) {
      await using unpacked = await unpackedExport(account, generation);
      const layout = await readLayout(unpacked.path);
      const [feedback, links] = [await readFeedback(layout), await readSharedLinks(layout)];
      assert.ok(feedback.rows.length > 2 && links.rows.length > 2);
      assert.deepEqual([feedback.unread, links.unread], [0, 0]);
      const ids = new Set(account.conversations.map(({ id }) => id));
      assert.ok([...feedback.rows, ...links.rows].every(({ conversation }) => ids.has(conversation ?? '')));
      assert.ok(feedback.rows.every(({ message, rating }) => message !== undefined && rating?.startsWith('thumbs')));
    }
  });

  it('of another form are counted', async () => {
    await using directory = await directoryOf({
      'conversations.json': LIST,
      'message_feedback.json': '{"rows":[]}',
      'shared_conversations.json': '[{"id":"s"},3,{"title":"x"}',
    });
    const layout = await readLayout(directory.path);
    assert.deepEqual(await readFeedback(layout), { rows: [], unread: 1 });
    assert.deepEqual(await readSharedLinks(layout), {
      rows: [{ id: 's', conversation: undefined, title: undefined }],
      unread: 3,
    });
  });
});
