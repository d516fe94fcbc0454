import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import { assertWholeSnapshot, startWorld, visibleSnapshots, type World } from '../support/world.ts';

/** What the service promises. It is a behaviour, not a speed: docker and systemd kill what takes longer. */
const STOPS_WITHIN_MS = 5_000;
const account = createAccount({ seed: 'stop', email: 'ada@example.test', conversations: 10 });

describe('SIGTERM', () => {
  it('during a download ends the service within 5 s; the next start resumes with Range', async () => {
    await using world = await startWorld({ bytesPerSecond: 3_000_000 });
    const { published, facts } = await deliverExport(world, 8_000_000);
    {
      await using service = world.service();
      await eventually(() => (published.requests[0]?.bytesSent ?? 0) > 2_000_000);
      const { code, tookMs } = await service.stop();
      assert.equal(code, 0);
      assert.ok(tookMs < STOPS_WITHIN_MS);
    }
    await using service = world.service();
    await world.webhook.next('snapshot-committed');
    await service.stop();
    const [snapshot = ''] = await visibleSnapshots(world.backups);
    await assertWholeSnapshot(snapshot);
    const [first, second] = published.requests;
    assert.equal(first?.status, 200);
    assert.equal(second?.status, 206);
    const kept = Number(/bytes=(\d+)-/.exec(second?.range ?? '')?.[1]);
    assert.ok(kept > 1_000_000 && kept < facts.bytes);
  });

  it('during unpacking ends the service within 5 s, shows nothing half-done, and the next start finishes', async () => {
    await using world = await startWorld();
    const { published } = await deliverExport(world, 150_000_000);
    let requests = 0;
    {
      await using service = world.service();
      await service.printed(/"msg":"unpacking/);
      requests = published.requests.length;
      const { code, tookMs } = await service.stop();
      assert.equal(code, 0);
      assert.ok(tookMs < STOPS_WITHIN_MS);
      assert.deepEqual(await visibleSnapshots(world.backups), []);
    }
    await using service = world.service();
    await world.webhook.next('snapshot-committed');
    await service.stop();
    const [snapshot = ''] = await visibleSnapshots(world.backups);
    await assertWholeSnapshot(snapshot);
    assert.equal(published.requests.length, requests, 'the archive was on disk already');
  });

  it('while nothing is to be done ends the service with exit code 0', async () => {
    await using world = await startWorld();
    await using service = world.service();
    await service.printed('watching');
    const { code } = await service.stop();
    assert.equal(code, 0);
  });
});

async function deliverExport(world: World, assetBytes: number) {
  const made = await world.openai.publishExport(account, { directory: world.exports, form: 'estuary', assetBytes });
  await world.dovecot.deliver(await world.openai.readyMail(made.published));
  return made;
}
