import assert from 'node:assert/strict';
import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import { chatkeep } from '../support/service.ts';
import { ACCESS_TOKEN, assertWholeSnapshot, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const account = createAccount({ seed: 'login', email: 'ada@example.test', conversations: 8 });

describe('an export for which a login is wanting', () => {
  it('is not lost: the user is told with the time left, and the ZIP in the drop folder completes that same capture', async () => {
    await using world = await startWorld({ signedIn: false });
    const { file, facts, captureId } = await waitForLogin(world);
    const message = await world.webhook.next('needs-login');
    assert.match(message.title, /login, 23 h \d+ min left|login, 24 h left/);
    assert.match(message.body, /drop folder/);
    assert.equal(world.webhook.of('needs-login').length, 1);

    await using service = world.service();
    await service.printed('watching');
    await copyFile(file, join(world.drop, facts.name));
    const committed = await world.webhook.next('snapshot-committed');
    assert.equal(committed.data.capture, captureId);
    await eventually(async () => (await readdir(world.drop)).length === 0);
    await service.stop();
    const [snapshot = ''] = await visibleSnapshots(world.backups);
    await assertWholeSnapshot(snapshot);
    const [ended] = await captures(world, 'ended');
    assert.deepEqual([ended?.id, ended?.state.name], [captureId, 'committed']);
    assert.deepEqual(await captures(world, 'open'), []);
  });

  it('is completed by a ZIP that was renamed, too: its entries carry the stamp', async () => {
    await using world = await startWorld({ signedIn: false });
    const { file, captureId } = await waitForLogin(world);
    await using service = world.service();
    await service.printed('watching');
    await copyFile(file, join(world.drop, 'my chats (1).zip'));
    const committed = await world.webhook.next('snapshot-committed');
    await service.stop();
    assert.equal(committed.data.capture, captureId);
  });

  it('is fetched at once when the login is renewed', async () => {
    await using world = await startWorld({ signedIn: false });
    const { captureId } = await waitForLogin(world);
    await using service = world.service();
    await service.printed('watching');
    await writeFile(world.tokenFile, ACCESS_TOKEN, { mode: 0o600 });
    const committed = await world.webhook.next('snapshot-committed');
    await service.stop();
    assert.equal(committed.data.capture, captureId);
  });

  it('is fetched as soon as somebody signs in to the browser that is configured', async () => {
    await using world = await startWorld({ signedIn: false });
    await using browser = await startChromium({ trusting: [world.openai.server] });
    const { published } = await world.openai.publishExport(account, { directory: world.exports, form: 'estuary' });
    await world.dovecot.deliver(await world.openai.readyMail(published));
    await using service = world.service({ CHATKEEP_DOWNLOAD_BROWSER_URL: browser.cdpUrl });
    const message = await world.webhook.next('needs-login');
    assert.match(message.body, /has no cookie of localhost/);
    world.openai.server.sessionTokens.add('a-session');
    await browser.signIn(world.openai.server.origin, 'a-session');
    await world.webhook.next('snapshot-committed');
    await service.stop();
    const [snapshot = ''] = await visibleSnapshots(world.backups);
    await assertWholeSnapshot(snapshot);
  });

  it('expires when nobody helps, which is told with how to ask for a new one', async () => {
    await using world = await startWorld({ signedIn: false });
    const LIFE_MS = 6_000;
    const { published } = await world.openai.publishExport(account, {
      directory: world.exports,
      form: 'estuary',
      stamp: new Date(Date.now() - 24 * 3_600_000 + LIFE_MS),
    });
    await world.dovecot.deliver(await world.openai.readyMail(published));
    await using service = world.service();
    const message = await world.webhook.next('expired');
    await service.stop();
    assert.match(message.body, /Data controls → Export data/);
    const [ended] = await captures(world, 'ended');
    assert.equal(ended?.state.name, 'expired');
    const deadline = published.stamp + 24 * 3_600_000;
    for (const { at } of published.requests) assert.ok(at < deadline, 'a request after the deadline');
  });
});

async function waitForLogin(world: World) {
  const { published, facts, file } = await world.openai.publishExport(account, {
    directory: world.exports,
    form: 'estuary',
  });
  await world.dovecot.deliver(await world.openai.readyMail(published));
  await using service = world.service();
  await service.printed('a login is needed');
  await world.webhook.next('needs-login');
  await service.stop();
  const [open] = await captures(world, 'open');
  assert.equal(open?.state.name, 'needs-login');
  return { file, facts: { ...facts, name: `${published.exportId}.zip` }, captureId: open?.id };
}

interface CaptureJson {
  readonly id: string;
  readonly state: { readonly name: string };
}

async function captures(world: World, which: 'open' | 'ended'): Promise<CaptureJson[]> {
  const { stdout } = await chatkeep(['status', '--json'], world.settings);
  const status: Record<'open' | 'ended', CaptureJson[]> = JSON.parse(stdout);
  return status[which];
}
