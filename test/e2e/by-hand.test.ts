import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inspectArchive, unpackArchive } from '../../src/archive/index.ts';
import { eventually } from '../support/eventually.ts';
import { createAccount, type ExportFacts, writeExport } from '../support/openai/exports/index.ts';
import { chatkeep, type Service } from '../support/service.ts';
import { assertWholeSnapshot, hashesOf, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const account = createAccount({ seed: 'by hand', email: 'ada@example.test', conversations: 6 });
/** Longer than the drop folder looks twice. */
const TWO_LOOKS_MS = 5_000;
/** A folder has to lie still for a minute. */
const FOLDER_PATIENCE_MS = 100_000;

let day = 0;

/** An export of a day of its own, in a file that bears its name. */
async function makeExport(world: World): Promise<{ file: string; facts: ExportFacts }> {
  day += 1;
  const to = join(world.exports, `${day}.zip`);
  const facts = await writeExport(account, { generation: 'G5', stamp: new Date(Date.UTC(2026, 2, day, 5, 6, 7)), to });
  return { file: to, facts };
}

/** Unpacks a ZIP into a folder, as Safari does by itself. */
async function unpackInto(folder: string, zip: string): Promise<void> {
  await mkdir(folder);
  const budgets = { maxEntries: 1000, maxUnpackedBytes: 1e9, maxRatio: 1000 };
  await unpackArchive(await inspectArchive(zip, { budgets }), { target: folder });
}

function snapshotOf(world: World, { stamp }: ExportFacts): string {
  return join(world.backups, account.email, `${stamp.toISOString().slice(0, 19).replaceAll(':', '')}Z`);
}

async function assertKept(world: World, facts: ExportFacts): Promise<void> {
  const snapshot = snapshotOf(world, facts);
  await assertWholeSnapshot(snapshot);
  assert.deepEqual(await hashesOf(snapshot), new Map(facts.entries.map(({ path, sha256 }) => [path, sha256])));
}

async function isKept(world: World, facts: ExportFacts): Promise<boolean> {
  const snapshots = await visibleSnapshots(world.backups);
  return snapshots.includes(snapshotOf(world, facts));
}

describe('exports that are put into the drop folder by hand', () => {
  let world: World;
  let service: Service;
  before(async () => {
    world = await startWorld({ signedIn: false });
    service = world.service();
    await service.printed('watching');
  });
  after(async () => {
    await service.stop();
    await world[Symbol.asyncDispose]();
  });

  it('as Safari unpacks them become the snapshots of their ZIPs, and the folders are deleted', async () => {
    const { file, facts } = await makeExport(world);
    const folder = join(world.drop, facts.name.replace(/\.zip$/, ''));
    await unpackInto(folder, file);
    await writeFile(join(folder, '.DS_Store'), 'litter');
    await eventually(() => isKept(world, facts), FOLDER_PATIENCE_MS);
    await assertKept(world, facts);
    await eventually(async () => (await readdir(world.drop)).length === 0);
    const meta = JSON.parse(await readFile(join(snapshotOf(world, facts), '.chatkeep/snapshot.json'), 'utf8'));
    assert.equal(meta.archive.form, 'folder');
    assert.equal(`${meta.exportId}.zip`, facts.name);
  });

  it('are awaited while they grow', async () => {
    const { file, facts } = await makeExport(world);
    const bytes = await readFile(file);
    const half = Math.floor(bytes.length / 2);
    const path = join(world.drop, 'growing.zip');
    await writeFile(path, bytes.subarray(0, half));
    await delay(TWO_LOOKS_MS);
    assert.equal(await isKept(world, facts), false);
    await appendFile(path, bytes.subarray(half));
    await eventually(() => isKept(world, facts));
    await assertKept(world, facts);
  });

  it('are awaited while Firefox holds their name with an empty file', async () => {
    const { file, facts } = await makeExport(world);
    const [name, part] = [join(world.drop, 'firefox.zip'), join(world.drop, 'firefox.Qw3-_x1z.zip.part')];
    await writeFile(name, '');
    await copyFile(file, part);
    await delay(TWO_LOOKS_MS);
    assert.deepEqual((await readdir(world.drop)).sort(), [basename(part), basename(name)].sort());
    await rename(part, name);
    await eventually(() => isKept(world, facts));
    await assertKept(world, facts);
  });

  it('complete the capture that waits for a login, under the name of a second download', async () => {
    const { published, facts, file } = await world.openai.publishExport(account, {
      directory: world.exports,
      form: 'estuary',
    });
    await world.dovecot.deliver(await world.openai.readyMail(published));
    const waiting = await world.webhook.next('needs-login');
    assert.match(waiting.body, new RegExp(`put it into the drop folder ${world.drop}`));
    await copyFile(file, join(world.drop, `${published.exportId} (1).zip`));
    await eventually(() => isKept(world, facts));
    await eventually(() =>
      world.webhook.of('snapshot-committed').some(({ data }) => data.capture === waiting.data.capture),
    );
  });

  it('and are bad stay there and are told once, and once more when they are put back', async () => {
    const { file } = await makeExport(world);
    const broken = (await readFile(file)).subarray(0, 3000);
    // With the end of a ZIP, so that nobody waits for more.
    const bytes = Buffer.concat([broken, Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);
    const [inside, outside] = [join(world.drop, 'bad.zip'), join(world.exports, 'bad.zip')];
    await writeFile(inside, bytes);
    await world.webhook.next('refused-archive');
    await delay(TWO_LOOKS_MS);
    assert.equal(world.webhook.of('refused-archive').length, 1);
    assert.deepEqual(await readFile(inside), bytes);
    await rename(inside, outside);
    await delay(TWO_LOOKS_MS);
    await rename(outside, inside);
    await eventually(() => world.webhook.of('refused-archive').length === 2);
    await rm(inside);
  });
});

describe('chatkeep import of a folder', () => {
  it('keeps an unpacked export, and leaves it where it is', async () => {
    await using world = await startWorld();
    const { file, facts } = await makeExport(world);
    const folder = join(world.base, 'unpacked');
    await unpackInto(folder, file);
    const { code, stdout } = await chatkeep(['import', `${folder}/`, '--json'], world.settings);
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout)[0].outcome, 'committed');
    await assertKept(world, facts);
    assert.ok((await readdir(folder)).includes('chat.html'));
    const again = await chatkeep(['import', file, '--json'], world.settings);
    assert.equal(JSON.parse(again.stdout)[0].outcome, 'duplicate');
  });

  it('that is no export is refused with exit code 6, and nothing is taken in', async () => {
    await using world = await startWorld();
    const { code, stderr } = await chatkeep(['import', world.base], world.settings);
    assert.equal(code, 6);
    assert.match(stderr, /is not an unpacked export/);
    assert.deepEqual(await readdir(world.backups), []);
  });
});
