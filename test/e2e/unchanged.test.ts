import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { removeTree } from '../../src/lib/files.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import type { PublishedExport } from '../support/openai/published-export.ts';
import { chatkeep } from '../support/service.ts';
import { assertWholeSnapshot, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const account = createAccount({ seed: 'unchanged', email: 'ada@example.test', conversations: 5 });

let world: World;
let first: PublishedExport;
let second: PublishedExport;
before(async () => {
  world = await startWorld();
  first = await publish(20);
  second = await publish(2);
});
after(() => world[Symbol.asyncDispose]());

/** An export of an account in which nothing happens, made so many hours ago. */
async function publish(hoursAgo: number): Promise<PublishedExport> {
  const stamp = new Date(Math.floor((Date.now() - hoursAgo * HOUR_MS) / 1000) * 1000);
  const { published } = await world.openai.publishExport(account, {
    directory: world.exports,
    form: 'estuary',
    stamp,
    untouched: true,
  });
  return published;
}

const records = () => readdir(join(world.backups, 'ada@example.test/.chatkeep/unchanged'));

describe('a second export in which nothing has changed', () => {
  it('is fetched, compared and told as unchanged, and makes no second snapshot', async () => {
    await using service = world.service();
    await world.dovecot.deliver(await world.openai.readyMail(first));
    await world.webhook.next('snapshot-committed');
    await world.dovecot.deliver(await world.openai.readyMail(second));
    const { title, body, level } = await world.webhook.next('unchanged');
    await service.stop();
    assert.equal(title, 'ChatGPT backup done: nothing has changed');
    assert.match(body, /Nothing has changed since .* UTC, so no second snapshot was made, and the backup is complete/);
    assert.equal(level, 'success');
    const snapshots = await visibleSnapshots(world.backups);
    assert.equal(snapshots.length, 1);
    await assertWholeSnapshot(snapshots[0] ?? '');
    assert.equal((await records()).length, 1);
    assert.deepEqual(await readdir(join(world.state, 'downloads')), []);
  });

  it('is shown by `chatkeep snapshots` with the snapshot, and as the last export by `chatkeep status`', async () => {
    const seen = new Date(second.stamp).toISOString().slice(0, 16).replace('T', ' ');
    const { stdout } = await chatkeep(['snapshots'], world.settings);
    assert.match(stdout, /SEEN AGAIN, UNCHANGED/);
    assert.match(stdout, new RegExp(`${seen} UTC`));
    assert.doesNotMatch(stdout, /Not of Chatkeep|Damaged/);
    const status = await chatkeep(['status'], world.settings);
    assert.equal(status.stderr, '');
    assert.match(
      status.stdout,
      /ada@example\.test: exported 2 h .*ago, with nothing changed since ada@example\.test\//,
    );
    const verified = await chatkeep(['verify'], world.settings);
    assert.match(verified.stdout, /: sound \(/);
  });

  it('is known again when the state directory is lost: neither fetched twice nor told as lost', async () => {
    await removeTree(world.state);
    const toldBefore = world.webhook.received.length;
    await using service = world.service();
    await service.printed(/(about an export that is known already.*){2}/s);
    await service.stop();
    assert.equal(first.requests.length + second.requests.length, 2);
    assert.equal(world.webhook.received.length, toldBefore);
    assert.equal((await visibleSnapshots(world.backups)).length, 1);
    assert.equal((await records()).length, 1);
  });

  it('is a duplicate when its file is imported as well', async () => {
    const [, file = ''] = (await readdir(world.exports)).sort();
    const { stdout } = await chatkeep(['import', join(world.exports, file)], world.settings);
    assert.match(stdout, /the same export was kept before as ada@example\.test\//);
    assert.equal((await records()).length, 1);
  });
});
