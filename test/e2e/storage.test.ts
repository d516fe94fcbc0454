import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '../support/eventually.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import { chatkeep } from '../support/service.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { assertWholeSnapshot, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const run = promisify(execFile);
const account = createAccount({ seed: 'storage', email: 'ada@example.test', conversations: 10 });

describe('storage that fails', () => {
  it('tells of a full disk, leaves nothing half committed, and goes on when there is room', async () => {
    await using world = await startWorld();
    await using _disk = await mountTmpfs(world.backups, '6m');
    await using service = world.service();
    await deliverExport(world, 12_000_000);
    const trouble = await world.webhook.next('trouble');
    assert.match(trouble.body, /the disk is full/i);
    assert.match(trouble.body, /Chatkeep goes on by itself/);
    assert.deepEqual(await visibleSnapshots(world.backups), []);
    await run('mount', ['-o', 'remount,size=64m', world.backups]);
    await world.webhook.next('snapshot-committed');
    await service.stop();
    const [snapshot = ''] = await visibleSnapshots(world.backups);
    await assertWholeSnapshot(snapshot);
    assert.equal(world.webhook.of('trouble').length, 1);
  });

  it('tells of a disk that fills up under a download, and resumes it when there is room', async () => {
    await using world = await startWorld({ bytesPerSecond: 4_000_000 });
    await using _disk = await mountTmpfs(world.state, '48m');
    await using service = world.service();
    const { published } = await deliverExport(world, 12_000_000);
    await eventually(() => (published.requests[0]?.bytesSent ?? 0) > 4_000_000);
    const filler = join(world.state, 'filler');
    await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k']).catch(() => {});
    const trouble = await world.webhook.next('trouble');
    assert.match(trouble.body, /the disk is full/i);
    await rm(filler);
    await world.webhook.next('snapshot-committed');
    await service.stop();
    const [snapshot = ''] = await visibleSnapshots(world.backups);
    await assertWholeSnapshot(snapshot);
    assert.match(published.requests.at(-1)?.range ?? '', /^bytes=[1-9]/, 'the download began anew');
  });

  it('does not begin what cannot fit: it tells how much is needed and how much is free', async () => {
    await using world = await startWorld();
    await using _disk = await mountTmpfs(world.state, '16m');
    await using service = world.service();
    await deliverExport(world, 12_000_000);
    const trouble = await world.webhook.next('trouble');
    assert.match(trouble.body, /state directory .* needs 2\d\.\d MB, and 1\d\.\d MB are free/);
    await service.stop();
    const downloads = join(world.state, 'downloads');
    const parts = (await readdir(downloads)).filter((name) => name.endsWith('.part'));
    for (const part of parts) assert.equal((await stat(join(downloads, part))).size, 0);
  });

  it('tells of a backup directory that turns read-only under the service, and goes on afterwards', async () => {
    await using world = await startWorld();
    await using service = world.service();
    await service.printed('watching');
    const staging = join(world.backups, '.chatkeep', 'staging');
    await run('mount', ['--bind', staging, staging]);
    await run('mount', ['-o', 'remount,bind,ro', staging]);
    try {
      await deliverExport(world, 100_000);
      assert.match((await world.webhook.next('trouble')).body, /the file system is read-only/);
      assert.deepEqual(await visibleSnapshots(world.backups), []);
    } finally {
      await run('umount', [staging]);
    }
    await world.webhook.next('snapshot-committed');
    await service.stop();
  });

  it('refuses to start on a read-only backup directory, with exit code 5 and a plain sentence', async () => {
    await using world = await startWorld();
    await using _disk = await mountTmpfs(world.backups, '6m');
    await run('mount', ['-o', 'remount,ro', world.backups]);
    const { code, stderr } = await chatkeep(['run'], world.settings);
    assert.equal(code, 5);
    assert.match(stderr, /backup directory .*: the file system is read-only/);
  });
});

describe('two services on one backup directory', () => {
  it('are one: the second refuses with a plain sentence that names the first', async () => {
    await using world = await startWorld();
    await using service = world.service();
    await service.printed('watching');
    const second = await chatkeep(['run'], { ...world.settings, CHATKEEP_STATE_DIR: join(world.base, 'other-state') });
    assert.equal(second.code, 4);
    assert.match(
      second.stderr,
      new RegExp(`backup directory .* is in use by another Chatkeep \\(process ${service.pid} `),
    );
    await service.stop();
  });

  it('are one on a state directory, too', async () => {
    await using world = await startWorld();
    await using service = world.service();
    await service.printed('watching');
    const second = await chatkeep(['run'], {
      ...world.settings,
      CHATKEEP_BACKUP_DIR: join(world.base, 'other-backups'),
    });
    assert.equal(second.code, 4);
    assert.match(second.stderr, /state directory .* is in use/);
    await service.stop();
  });

  it('leaves other people’s files in the backup directory alone, and mentions them', async () => {
    await using world = await startWorld();
    await writeFile(join(world.backups, 'holiday.jpg'), 'not ours');
    await using service = world.service();
    await deliverExport(world, 100_000);
    await world.webhook.next('snapshot-committed');
    await service.stop();
    assert.ok((await readdir(world.backups)).includes('holiday.jpg'));
    assert.match((await chatkeep(['snapshots'], world.settings)).stdout, /Not of Chatkeep, left alone: .*holiday\.jpg/);
  });
});

async function deliverExport(world: World, assetBytes: number) {
  const made = await world.openai.publishExport(account, { directory: world.exports, form: 'estuary', assetBytes });
  await world.dovecot.deliver(await world.openai.readyMail(made.published));
  return made;
}
