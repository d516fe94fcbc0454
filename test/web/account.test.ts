import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readFeedback, readLayout, readSharedLinks } from '../../src/chatgpt/index.ts';
import { listSnapshots, type SnapshotInfo } from '../../src/snapshot/index.ts';
import { changesOf } from '../../src/web/pages/account/account-history.ts';
import { maskEmail, maskPhone } from '../../src/web/pages/account/mask.ts';
import { createAccount, nextExport } from '../support/openai/exports/index.ts';
import { WebScene } from './scene.ts';

const ann = createAccount({ seed: 'ann', conversations: 60, email: 'ann@example.org', phone: '+49170555123' });
const { signal } = new AbortController();

describe('The page of the account', () => {
  let scene: WebScene;
  let newest: SnapshotInfo;

  before(async () => {
    scene = await WebScene.open();
    await scene.take(ann, 'G4', '2026-04-01T10:00:00Z');
    await scene.take(nextExport(ann, { seed: 'b', add: 1, days: 60 }), 'G4', '2026-05-02T08:30:00Z');
    const [first, last] = (await listSnapshots(scene.config.backupDir)).snapshots;
    assert.ok(first !== undefined && last !== undefined);
    newest = last;
    // Another plan in the older one; both have been one file on the disk.
    const user = join(first.path, 'user.json');
    const told = JSON.parse(await readFile(user, 'utf8'));
    await rm(user);
    await writeFile(user, JSON.stringify({ ...told, chatgpt_plus_user: false }));
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
  });

  const textOf = async (query = '') => {
    const text = await (await fetch(`${scene.origin}/account${query}`)).text();
    return text.slice(text.indexOf('<main'));
  };

  it('hides the email address and the telephone number until one asks for them', async () => {
    const masked = await textOf();
    assert.ok(masked.includes('a…@e….org') && masked.includes('…23'));
    assert.ok(!masked.includes('+49170555123') && !masked.includes(`<dd>${ann.email}</dd>`));
    assert.ok(!masked.includes(String(ann.birthYear)));
    const shown = await textOf('?show=details');
    for (const text of ['+49170555123', '<dd>ann@example.org</dd>', String(ann.birthYear)])
      assert.ok(shown.includes(text));
  });

  it('counts what is archived and starred in the newest snapshot', async () => {
    const catalog = scene.catalog;
    const conversations = catalog?.conversations({ deleted: false }, { limit: 1000 }) ?? [];
    const { archived, starred, present } = catalog?.shelves('ann@example.org') ?? {};
    assert.equal(present, 61);
    assert.equal(archived, conversations.filter((one) => one.archived === true).length);
    assert.equal(starred, conversations.filter((one) => one.starred === true).length);
    assert.match(await textOf(), new RegExp(`Archived</dt><dd>${archived}</dd>`));
  });

  it('lists rated answers and shared conversations, with links to read them', async () => {
    const layout = await readLayout(newest.path);
    const [ratings, links] = [await readFeedback(layout, signal), await readSharedLinks(layout, signal)];
    assert.ok(ratings.rows.length > 0 && links.rows.length > 0);
    const text = await textOf();
    assert.equal(text.match(/<li>(Good|Bad): <a href="\/conversations\//g)?.length, Math.min(25, ratings.rows.length));
    for (const { id } of links.rows) assert.ok(text.includes(`https://chatgpt.com/share/${id}`));
  });

  it('shows settings as the export names them', async () => {
    assert.match(await textOf(), /<dt>settings\.voice_name<\/dt><dd>cove<\/dd>/);
  });

  it('tells what changed from one snapshot to the next', async () => {
    assert.match(await textOf(), /Plan: free became paid \(Plus or higher\)/);
  });

  it('says where nothing was kept yet', async () => {
    await using empty = await WebScene.open();
    await empty.makeDirectories();
    assert.match(await (await fetch(`${empty.origin}/account`)).text(), /There is no snapshot yet/);
  });
});

describe('What changed about an account', () => {
  const snapshot = (name: string) => ({ id: `a/${name}`, account: 'a', name, path: `/${name}` });
  const all = ['2026-01-01T000000Z', '2026-02-01T000000Z', '2026-03-01T000000Z'].map(snapshot);
  const told = { id: 'user-1', email: 'a@example.org', phone: undefined, birthYear: undefined, plus: true };

  it('is told of the snapshot that first said so, the newest first', () => {
    const changes = changesOf(all, [told, { ...told, plus: false }, { ...told, plus: false, email: 'b@example.org' }]);
    assert.deepEqual(
      changes.map(({ snapshot: { name }, fact, before: was, after: is }) => [name, fact, was, is]),
      [
        ['2026-03-01T000000Z', 'email', 'a@example.org', 'b@example.org'],
        ['2026-02-01T000000Z', 'plus', true, false],
      ],
    );
  });

  it('is not what an export does not say', () => {
    assert.deepEqual(changesOf(all, [told, undefined, { ...told, plus: undefined }]), []);
  });
});

describe('A masked detail', () => {
  it('keeps too little to write to or to call', () => {
    assert.equal(maskEmail('ann.smith@mail.example.org'), 'a…@m….org');
    assert.equal(maskEmail('ann'), 'a…');
    assert.equal(maskEmail('a@localhost'), 'a…@l…');
    assert.equal(maskPhone('+49170555123'), '…23');
    assert.equal(maskPhone('112'), '…');
  });
});
