import assert from 'node:assert/strict';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { createAccount, type ExportFacts, writeExport } from '../support/openai/exports/index.ts';
import type { Service } from '../support/service.ts';
import { assertWholeSnapshot, hashesOf, startWorld, visibleSnapshots, type World } from '../support/world.ts';
import { startBrowser } from '../web/scene.ts';

const PASSWORD = 'open sesame';
const account = createAccount({ seed: 'web page', email: 'ada@example.test', conversations: 6 });

let world: World;
let service: Service;
let browser: Browser;
let origin: string;
let day = 0;

before(async () => {
  world = await startWorld({ signedIn: false });
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const passwordFile = join(world.base, 'web-password');
  await writeFile(passwordFile, PASSWORD, { mode: 0o600 });
  const settings = {
    CHATKEEP_WEB_LISTEN: `127.0.0.1:${port}`,
    CHATKEEP_WEB_PASSWORD_FILE: passwordFile,
    CHATKEEP_LISTEN: `127.0.0.1:${port}`,
  };
  service = world.service(settings);
  await service.printed(`the web page is at ${origin}/, with health checks and metrics`);
  browser = await startBrowser();
});
after(async () => {
  await browser.close();
  await service.stop();
  await world[Symbol.asyncDispose]();
});

/** An export of a day of its own, in a file that bears its name. */
async function makeExport(): Promise<{ file: string; facts: ExportFacts }> {
  day += 1;
  const to = join(world.exports, `${day}.zip`);
  const facts = await writeExport(account, { generation: 'G5', stamp: new Date(Date.UTC(2026, 3, day, 5, 6, 7)), to });
  return { file: to, facts };
}

function snapshotOf({ stamp }: ExportFacts): string {
  return join(world.backups, account.email, `${stamp.toISOString().slice(0, 19).replaceAll(':', '')}Z`);
}

async function assertKept(facts: ExportFacts): Promise<void> {
  await assertWholeSnapshot(snapshotOf(facts));
  assert.deepEqual(await hashesOf(snapshotOf(facts)), new Map(facts.entries.map(({ path, sha256 }) => [path, sha256])));
}

/** A page of somebody who has signed in. */
async function signedIn(options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  const page = await browser.newPage(options);
  await page.goto(`${origin}/upload`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${origin}/upload`);
  return page;
}

async function handIn(page: Page, ...files: string[]): Promise<void> {
  await page.getByLabel('The ZIP file, or several').setInputFiles(files);
  await page.getByRole('button', { name: 'Hand in' }).click();
}

function uploaded(): Promise<string[]> {
  return readdir(join(world.state, 'uploads'));
}

describe('A ZIP that is handed in over the web page', () => {
  it('becomes a snapshot, which the page tells and leads to', async () => {
    const { file, facts } = await makeExport();
    const page = await signedIn();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    await handIn(page, file);
    await page.getByText(`kept as ${account.email}/${basename(snapshotOf(facts))}`).waitFor();
    await assertKept(facts);
    await page.getByRole('link', { name: 'Look at the snapshot' }).click();
    await page.waitForURL(/\/snapshots\//);
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
    assert.deepEqual(await uploaded(), [], 'what was uploaded is deleted once it is safe');
    assert.deepEqual(complaints, []);
  });

  it('may come with others, and without JavaScript; what is no ZIP is refused beside', async () => {
    const [one, other] = [await makeExport(), await makeExport()];
    const noZip = join(world.exports, 'notes.zip');
    await writeFile(noZip, 'not a ZIP');
    const page = await signedIn({ javaScriptEnabled: false });
    await handIn(page, one.file, noZip, other.file);
    await page.getByText('notes.zip was not taken. This is not a ZIP file.').waitFor();
    assert.equal(await page.locator('[data-capture]').count(), 2);
    for (const { facts } of [one, other]) {
      await eventually(async () => (await visibleSnapshots(world.backups)).includes(snapshotOf(facts)));
      await assertKept(facts);
    }
  });

  it('is told apart from one that was kept before, and from one that is damaged', async () => {
    const { file, facts } = await makeExport();
    const page = await signedIn();
    await handIn(page, file);
    await page.getByText(/kept as .* at/).waitFor();
    await page.goto(`${origin}/upload`);
    await handIn(page, file);
    await page.getByText(`kept before as ${account.email}/${basename(snapshotOf(facts))}`).waitFor();
    const damaged = join(world.exports, 'damaged.zip');
    const bytes = await readFile((await makeExport()).file);
    await writeFile(damaged, bytes.subarray(0, bytes.length / 2));
    await page.goto(`${origin}/upload`);
    await handIn(page, damaged);
    await page.getByText(/refused at .*/).waitFor();
  });

  it('completes the capture that waits for a login', async () => {
    const { published, facts, file } = await world.openai.publishExport(account, {
      directory: world.exports,
      form: 'estuary',
    });
    await world.dovecot.deliver(await world.openai.readyMail(published));
    const page = await signedIn();
    await page.goto(origin);
    await page.getByText('needs you', { exact: true }).waitFor();
    const captures = await page.locator('[data-capture]').count();
    await page.getByRole('link', { name: 'Hand in its ZIP' }).click();
    await handIn(page, file);
    await page.getByText(/kept as .* at/).waitFor();
    await assertKept(facts);
    await page.goto(origin);
    await page.getByText('No export is being captured.').waitFor();
    assert(captures > 0);
  });

  it('leaves nothing when it breaks off in the middle', async () => {
    const page = await signedIn();
    const csrf = await page.locator('form[data-upload] input[name=csrf]').inputValue();
    const [cookie] = await page.context().cookies();
    const before = await uploaded();
    const sending = request(`${origin}/upload?name=big.zip`, {
      method: 'POST',
      headers: {
        'content-length': 100_000_000,
        'x-csrf-token': csrf,
        origin,
        cookie: `${cookie?.name}=${cookie?.value}`,
      },
    });
    sending.on('error', () => {});
    sending.write(Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(1_000_000)]));
    await eventually(async () => (await uploaded()).some((name) => name.endsWith('.part')));
    sending.destroy();
    await eventually(async () => (await uploaded()).length === before.length);
    await service.printed('an upload was broken off; nothing of it is kept');
  });

  it('is not taken from one who has not signed in, or without the token of the page', async () => {
    const { file } = await makeExport();
    const send = async (headers: Record<string, string>) => {
      await using handle = await open(file);
      const answer = await fetch(`${origin}/upload?name=export.zip`, {
        method: 'POST',
        headers: { origin, ...headers },
        body: await handle.readFile(),
      });
      return answer.status;
    };
    const page = await signedIn();
    const [cookie] = await page.context().cookies();
    const before = await uploaded();
    assert.equal(await send({}), 401);
    assert.equal(await send({ cookie: `${cookie?.name}=${cookie?.value}` }), 403);
    const form = new FormData();
    form.append('file', new File([await readFile(file)], 'export.zip'));
    const answer = await fetch(`${origin}/upload`, {
      method: 'POST',
      headers: { origin, cookie: `${cookie?.name}=${cookie?.value}` },
      body: form,
    });
    assert.equal(answer.status, 403);
    assert.deepEqual(await uploaded(), before);
  });
});

describe('The service with a web page', () => {
  it('answers health checks at the same address without a sign-in', async () => {
    assert.equal((await fetch(`${origin}/healthz`)).status, 200);
    assert.match(await (await fetch(`${origin}/metrics`)).text(), /chatkeep_/);
  });

  it('does not start where another program has the address', async () => {
    await using other = world.service({
      CHATKEEP_STATE_DIR: join(world.base, 'other-state'),
      CHATKEEP_BACKUP_DIR: join(world.base, 'other-backups'),
      CHATKEEP_DROP_DIR: join(world.base, 'other-drop'),
      CHATKEEP_WEB_LISTEN: new URL(origin).host,
    });
    assert.equal(await other.ended, 2);
    assert.match(
      other.output,
      /web\.listen: 127\.0\.0\.1:\d+ cannot be listened at \(another program has it\)\.[\s\S]*take `web\.listen` out/,
    );
  });
});
