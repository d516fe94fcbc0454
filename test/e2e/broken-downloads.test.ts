import assert from 'node:assert/strict';
import { readFile, truncate } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import { chatkeep } from '../support/service.ts';
import { assertWholeSnapshot, hashesOf, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const account = createAccount({ seed: 'broken', email: 'ada@example.test', conversations: 10 });
/** What the client's buffers may hold when the connection ends. */
const IN_FLIGHT_BYTES = 256 * 1024;

describe('a download that breaks', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it('is resumed by Range after it was cut silently at 30 %, and the bytes are the source’s', async () => {
    const { published, facts } = await publish(world, 5, 3_000_000);
    const cutAt = Math.floor(facts.bytes * 0.3);
    published.faults.push({ kind: 'stop', afterBytes: cutAt, framing: 'content-length' });
    await capture(world, published, async () => (await visibleSnapshots(world.backups)).length === 1);
    const [snapshot = ''] = await visibleSnapshots(world.backups);
    await assertWholeSnapshot(snapshot);
    assert.deepEqual(await hashesOf(snapshot), new Map(facts.entries.map(({ path, sha256 }) => [path, sha256])));
    const [first, second] = published.requests;
    assert.equal(published.requests.length, 2);
    assert.deepEqual([first?.status, first?.range], [200, undefined]);
    assert.deepEqual([second?.status, second?.ifRange], [206, published.etag]);
    const resumedAt = Number(/^bytes=(\d+)-$/.exec(second?.range ?? '')?.[1]);
    assert.ok(resumedAt <= cutAt && resumedAt >= cutAt - IN_FLIGHT_BYTES, `resumed at ${resumedAt} of ${cutAt}`);
  });

  it('goes on after the connection was reset, and after it stalled', async () => {
    const { published, facts } = await publish(world, 4);
    published.faults.push(
      { kind: 'reset', afterBytes: Math.floor(facts.bytes / 3) },
      { kind: 'stall', afterBytes: Math.floor(facts.bytes / 3) },
    );
    await capture(world, published, async () => (await visibleSnapshots(world.backups)).length === 2, {
      CHATKEEP_DOWNLOAD_STALL_SECONDS: '1',
    });
    assert.deepEqual(
      published.requests.map(({ status }) => status),
      [200, 206, 206],
    );
  });

  it('never commits a web page in the place of the ZIP: a login is asked for', async () => {
    const { published } = await publish(world, 3);
    published.always = { kind: 'login-page' };
    await capture(world, published, async () => world.webhook.of('needs-login').length === 1);
    assert.match(world.webhook.of('needs-login')[0]?.body ?? '', /web page came instead of the export/);
    assert.equal((await visibleSnapshots(world.backups)).length, 2);
  });

  it('never commits a truncated ZIP, nor one with a wrong CRC: the reason is told, and it is fetched again', async () => {
    const told = () => world.webhook.of('refused-archive').map(({ body }) => body.split('\n')[0] ?? '');
    const cut = await publish(world, 2);
    await truncate(cut.file, Math.floor(cut.facts.bytes * 0.8));
    cut.published.change({ path: cut.file });
    await capture(world, cut.published, async () => told().length === 1);
    assert.match(told()[0] ?? '', /cut off/);

    const corrupt = await publish(world, 1);
    const bytes = await readFile(corrupt.file);
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
    corrupt.published.change({ bytes });
    await capture(world, corrupt.published, async () => told().length === 2);
    assert.equal((await visibleSnapshots(world.backups)).length, 2);

    // The server mends itself: the next attempt brings a sound archive, and it is kept.
    corrupt.published.faults.length = 0;
    const whole = await publish(world, 1);
    corrupt.published.change({ path: whole.file });
    await capture(world, corrupt.published, async () => (await visibleSnapshots(world.backups)).length === 3);
  });

  it('shows in `status --json` what an open capture waits for, and until when', async () => {
    const { stdout } = await chatkeep(['status', '--json'], world.settings);
    const status: { open: { deadline: number; state: { name: string; reason?: string } }[] } = JSON.parse(stdout);
    const waiting = status.open.find(({ state }) => state.name === 'needs-login');
    assert.match(waiting?.state.reason ?? '', /web page came instead/);
    assert.ok((waiting?.deadline ?? 0) > Date.now());
  });
});

function publish(world: World, hoursAgo: number, assetBytes?: number) {
  return world.openai.publishExport(account, {
    directory: world.exports,
    form: 'estuary',
    stamp: new Date(Date.now() - hoursAgo * HOUR_MS),
    ...(assetBytes === undefined ? {} : { assetBytes }),
  });
}

/** Runs a service until `done` holds; the mail for the export is in the mailbox. */
async function capture(
  world: World,
  published: Awaited<ReturnType<typeof publish>>['published'],
  done: () => Promise<boolean>,
  settings = {},
): Promise<void> {
  await world.dovecot.deliver(await world.openai.readyMail(published));
  await using service = world.service(settings);
  await eventually(done);
  await service.stop();
}
