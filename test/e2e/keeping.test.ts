import assert from 'node:assert/strict';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { type AccountModel, createAccount, nextExport } from '../support/openai/exports/index.ts';
import type { PublishedExport } from '../support/openai/server.ts';
import { chatkeep } from '../support/service.ts';
import { assertWholeSnapshot, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const MINUTE_MS = 60_000;
const account = createAccount({ seed: 'keeping', email: 'ada@example.test', conversations: 6 });

/** The mail of an export that was made so many minutes ago. */
async function deliver(world: World, model: AccountModel, minutesAgo: number): Promise<PublishedExport> {
  const { published } = await world.openai.publishExport(model, {
    directory: world.exports,
    form: 'estuary',
    stamp: new Date(Date.now() - minutesAgo * MINUTE_MS),
  });
  await world.dovecot.deliver(await world.openai.readyMail(published));
  return published;
}

const committed = (world: World, count: number) =>
  eventually(() => world.webhook.of('snapshot-committed').length >= count);

describe('the backup directory', () => {
  it('is the truth: without the state directory every snapshot is known, and nothing is fetched twice', async () => {
    await using world = await startWorld();
    const published: PublishedExport[] = [];
    {
      await using service = world.service();
      published.push(await deliver(world, account, 90));
      await committed(world, 1);
      published.push(await deliver(world, nextExport(account, { seed: 'later', add: 1 }), 30));
      await committed(world, 2);
      await service.stop();
    }
    const before = await visibleSnapshots(world.backups);
    const requests = published.map((each) => each.requests.length);
    await rm(world.state, { recursive: true });

    await using service = world.service();
    // A third export shows that the mailbox was looked through.
    await deliver(world, nextExport(account, { seed: 'latest', add: 2 }), 10);
    await committed(world, 3);
    await service.stop();
    assert.deepEqual(
      published.map((each) => each.requests.length),
      requests,
    );
    const after = await visibleSnapshots(world.backups);
    assert.deepEqual(after.slice(0, 2), before);
    assert.equal(after.length, 3);
    const listed = JSON.parse((await chatkeep(['snapshots', '--json'], world.settings)).stdout).snapshots;
    assert.equal(listed.length, 3);
    assert.equal(world.webhook.of('duplicate').length, 0);
  });
});

describe('the service', () => {
  it('prunes after a commit if it is asked to, tells what has gone, and mentions what is not ours once', async () => {
    await using world = await startWorld();
    await writeFile(join(world.backups, 'holiday.jpg'), 'not ours');
    await using service = world.service({ CHATKEEP_KEEP_LAST: '1', CHATKEEP_PRUNE: 'after_commit' });
    // The second lacks a conversation of the first; the fourth holds all of the third.
    const thinner = nextExport(account, { seed: 'thinner', delete: 1 });
    for (const [index, model] of [account, thinner, thinner, thinner].entries()) {
      await deliver(world, model, 90 - 20 * index);
      await committed(world, index + 1);
    }
    const { title, body, data } = await world.webhook.next('pruned');
    await service.stop();
    assert.match(title, /1 old snapshot was deleted/);
    assert.match(body, /1 snapshot that the rules would let go holds what is found nowhere else, and was kept/);
    assert.equal(data.snapshots, 1);
    const left = await visibleSnapshots(world.backups);
    assert.equal(left.length, 3);
    for (const snapshot of left) await assertWholeSnapshot(snapshot);
    assert.doesNotMatch(body, new RegExp(left.map((path) => basename(path)).join('|')));
    assert.equal(await readFile(join(world.backups, 'holiday.jpg'), 'utf8'), 'not ours');
    assert.equal(service.output.match(/holiday\.jpg/g)?.length, 1);
  });

  it('reads the snapshots again by itself, and tells of damage once, and when it is repaired', async () => {
    await using world = await startWorld();
    const daily = { CHATKEEP_VERIFY_EVERY_DAYS: '0.00001', CHATKEEP_VERIFY_SAMPLE_PERCENT: '100' };
    await using service = world.service(daily);
    await deliver(world, account, 30);
    await committed(world, 1);
    const [snapshot = ''] = await visibleSnapshots(world.backups);
    const file = join(snapshot, 'user.json');
    const content = await readFile(file);
    await chmod(file, 0o600);
    await writeFile(file, 'rot');
    const failed = await world.webhook.next('verification-failed');
    assert.match(failed.body, /user\.json is not what was backed up/);
    const status = await chatkeep(['status'], world.settings);
    assert.match(status.stdout, /1 file is damaged/);
    await writeFile(file, content);
    await world.webhook.next('recovered');
    await service.stop();
    assert.equal(world.webhook.of('verification-failed').length, 1);
  });
});
