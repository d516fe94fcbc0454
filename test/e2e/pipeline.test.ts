import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { removeTree } from '../../src/lib/files.ts';
import { eventually } from '../support/eventually.ts';
import { createAccount, nextExport } from '../support/openai/exports/index.ts';
import { chatkeep } from '../support/service.ts';
import { assertWholeSnapshot, hashesOf, latestOf, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const account = createAccount({ seed: 'pipeline', email: 'ada@example.test', conversations: 12 });

describe('the main job, with a real IMAP server over TLS', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it('turns a mail that arrives while the service runs into a snapshot, and tells', async () => {
    await using service = world.service();
    await service.printed('watching');
    const { published, facts } = await publish(world, 20);
    await world.dovecot.deliver(await world.openai.readyMail(published));
    const message = await world.webhook.next('snapshot-committed');
    await service.stop();

    const [snapshot = ''] = await visibleSnapshots(world.backups);
    await assertWholeSnapshot(snapshot);
    assert.deepEqual(await hashesOf(snapshot), new Map(facts.entries.map(({ path, sha256 }) => [path, sha256])));
    assert.equal(snapshot, join(world.backups, 'ada@example.test', stampName(facts.stamp)));
    assert.equal(await latestOf(snapshot), stampName(facts.stamp));
    assert.equal(message.data.snapshot, `ada@example.test/${stampName(facts.stamp)}`);
    assert.match(message.body, new RegExp(`${facts.entries.length} files`));
  });

  it('finds a mail that arrived while it was stopped', async () => {
    const { published } = await publish(world, 19);
    await world.dovecot.deliver(await world.openai.readyMail(published));
    await using service = world.service();
    await service.printed('committed as');
    await service.stop();
    assert.equal((await visibleSnapshots(world.backups)).length, 2);
  });

  it('makes one snapshot of the same mail delivered twice, and two of two mails for two exports', async () => {
    await using service = world.service();
    await service.printed('watching');
    const [one, two] = [await publish(world, 18), await publish(world, 17)];
    const mail = await world.openai.readyMail(one.published);
    await world.dovecot.deliver(mail);
    await world.dovecot.deliver(mail);
    await world.dovecot.deliver(await world.openai.readyMail(two.published));
    await service.printed('another message about an export that is known already');
    await eventually(() => world.webhook.of('snapshot-committed').length === 4);
    await service.stop();
    for (const snapshot of await visibleSnapshots(world.backups)) await assertWholeSnapshot(snapshot);
    assert.equal(one.published.requests.length, 1);
  });

  it('ignores a "started" mail, a one-time code, and other mail of the same sender', async () => {
    const requestsBefore = world.openai.server.requests.length;
    await using service = world.service();
    await service.printed('watching');
    for (const kind of ['started', 'code', 'task', 'sign-in'] as const) {
      await world.dovecot.deliver(await world.openai.mail({ kind }));
    }
    await service.printed('an export has been asked for');
    // A ready mail after them shows that they have been passed.
    const { published } = await publish(world, 16);
    await world.dovecot.deliver(await world.openai.readyMail(published));
    await service.printed('committed as');
    await service.stop();
    assert.equal((await visibleSnapshots(world.backups)).length, 5);
    assert.equal(world.openai.server.requests.length, requestsBefore + 1);
    assert.deepEqual(world.webhook.of('refused-notice'), []);
  });

  it('refuses a perfect mail from a look-alike domain, tells why, and leaves mail and link alone', async () => {
    await using service = world.service();
    await service.printed('watching');
    const { published } = await publish(world, 15);
    await world.dovecot.deliver(
      await world.openai.readyMail(published, { from: { address: 'noreply@tm.openai.com.evil.test' } }),
    );
    const message = await world.webhook.next('refused-notice');
    await service.stop();
    assert.match(message.body, /tm\.openai\.com\.evil\.test/);
    assert.equal(published.requests.length, 0);
    assert.equal((await visibleSnapshots(world.backups)).length, 5);
    for (const { touched, flags } of await world.dovecot.messages())
      assert.deepEqual({ touched, flags }, { touched: false, flags: '' });
  });

  it('makes files that did not change hard links to the snapshot before', async () => {
    await using service = world.service();
    await service.printed('watching');
    const later = nextExport(account, { seed: 'later', add: 2, change: 1, delete: 1 });
    const { published } = await world.openai.publishExport(later, {
      directory: world.exports,
      form: 'estuary',
      stamp: new Date(Date.now() - HOUR_MS),
    });
    await world.dovecot.deliver(await world.openai.readyMail(published));
    await service.printed('committed as');
    await service.stop();
    const [before = '', newest = ''] = (await visibleSnapshots(world.backups)).slice(-2);
    const { stdout } = await chatkeep(['verify'], world.settings);
    assert.equal(stdout.match(/: sound \(/g)?.length, 6);
    const [old, fresh] = [await hashesOf(before), await hashesOf(newest)];
    const shared = [...fresh].filter(([path, hash]) => old.get(path) === hash);
    assert.ok(shared.length > 0);
    for (const [path] of shared) {
      assert.equal((await stat(join(newest, path))).ino, (await stat(join(before, path))).ino, path);
    }
  });

  it('keeps nothing but snapshots after the work: no download, no staging, no link in the journal', async () => {
    assert.deepEqual(await readdir(join(world.state, 'downloads')), []);
    assert.deepEqual(await readdir(join(world.backups, '.chatkeep', 'staging')), []);
    const journal = await readFile(join(world.state, 'journal.sqlite'), 'latin1');
    assert.doesNotMatch(journal, /sig=[0-9a-f]{64}/);
  });
});

describe('state that is lost', () => {
  it('is no loss: every snapshot is known again and nothing is fetched twice', async () => {
    await using world = await startWorld();
    const { published } = await publish(world, 3);
    await world.dovecot.deliver(await world.openai.readyMail(published));
    {
      await using service = world.service();
      await service.printed('committed as');
      await service.stop();
    }
    await removeTree(world.state);
    await mkdir(world.state);
    await using service = world.service();
    await service.printed('another message about an export that is known already');
    await service.stop();
    assert.equal(published.requests.length, 1);
    assert.equal((await visibleSnapshots(world.backups)).length, 1);
    assert.equal(world.webhook.received.length, 1);
  });
});

function publish(world: World, hoursAgo: number) {
  return world.openai.publishExport(account, {
    directory: world.exports,
    form: 'estuary',
    stamp: new Date(Date.now() - hoursAgo * HOUR_MS),
  });
}

function stampName(stamp: Date): string {
  return `${stamp.toISOString().slice(0, 19).replaceAll(':', '')}Z`;
}
