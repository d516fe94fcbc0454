import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { journalPath } from '../../src/assembly.ts';
import { type Capture, type HandIn, openSqliteJournal } from '../../src/capture/index.ts';
import { type Config, loadConfig } from '../../src/config/index.ts';
import { type Heartbeat, removeHeartbeat, writeHeartbeat } from '../../src/heartbeat.ts';
import { importFiles } from '../../src/importer.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { lockDirectory } from '../../src/lib/lock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { fileCapture } from '../capture/examples.ts';
import { saveHonestZip } from '../support/honest-zip.ts';
import { createAccount, writeExport } from '../support/openai/exports/index.ts';
import { chatkeep, type Environment, Service } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { startWorld, visibleSnapshots } from '../support/world.ts';

const run = promisify(execFile);
const account = createAccount({ seed: 'import', email: 'ada@example.test', conversations: 6 });

describe('chatkeep import on a full disk', () => {
  it('exits 5 with the reason, and goes on when it is run again and there is room', async () => {
    await using home = await tempDir();
    const env = settingsIn(home.path);
    await using _disk = await mountTmpfs(join(home.path, 'backups'), '12m');
    const zip = await largeExport(home.path);

    const held = await chatkeep(['import', zip, '--json'], env);
    assert.equal(held.code, 5);
    const [{ outcome, reason, capture }] = JSON.parse(held.stdout);
    assert.equal(outcome, 'held-up');
    assert.match(reason, /the disk is full/i);

    const again = await chatkeep(['import', zip], env);
    assert.equal(again.code, 5);
    assert.match(again.stdout, /large\.zip: held up\. .*the disk is full.* Chatkeep goes on with it/i);

    await run('mount', ['-o', 'remount,size=64m', join(home.path, 'backups')]);
    const { code, stdout } = await chatkeep(['import', zip, '--json'], env);
    assert.equal(code, 0);
    const [result] = JSON.parse(stdout);
    assert.deepEqual([result.outcome, result.capture], ['committed', capture]);
  });

  it('takes in the other files all the same', async () => {
    await using home = await tempDir();
    await using _disk = await mountTmpfs(join(home.path, 'backups'), '12m');
    const large = await largeExport(home.path);
    const small = join(home.path, 'small.zip');
    await saveHonestZip(small, { 'user.json': '{"email":"ada@example.test"}', 'chat.html': '<html></html>' });
    const { code, stdout } = await chatkeep(['import', large, small], settingsIn(home.path));
    assert.equal(code, 5);
    assert.match(stdout, /large\.zip: held up/);
    assert.match(stdout, /small\.zip: kept as ada@example\.test/);
  });

  it('exits 5 as well when the service does the work, which goes on by itself', async () => {
    await using home = await tempDir();
    const env = settingsIn(home.path);
    await using _disk = await mountTmpfs(join(home.path, 'backups'), '12m');
    await using service = new Service(env);
    await service.printed('watching');
    const { code, stdout } = await chatkeep(['import', await largeExport(home.path)], env);
    assert.equal(code, 5);
    assert.match(stdout, /held up\. .*the disk is full/i);
    await run('mount', ['-o', 'remount,size=64m', join(home.path, 'backups')]);
    await service.printed('committed as ada@example.test');
    await service.stop();
  });
});

describe('chatkeep import of a file that completes a capture and turns out to be damaged', () => {
  it('exits 6 with the reason, and leaves the capture to wait for its link', async () => {
    await using world = await startWorld({ signedIn: false });
    await using service = world.service();
    const { published, file } = await world.openai.publishExport(account, {
      directory: world.exports,
      form: 'estuary',
    });
    await world.dovecot.deliver(await world.openai.readyMail(published));
    await world.webhook.next('needs-login');
    const damaged = join(world.base, `${published.exportId}.zip`);
    await copyFile(file, damaged);
    await damageContent(damaged);

    const { code, stdout } = await chatkeep(['import', damaged, '--json'], world.settings);
    assert.equal(code, 6);
    const [{ outcome, reason, kept, capture }] = JSON.parse(stdout);
    assert.deepEqual([outcome, kept], ['refused', damaged]);
    assert.match(reason, /fetched by its link/);
    const { open } = JSON.parse((await chatkeep(['status', '--json'], world.settings)).stdout);
    assert.deepEqual(
      open.map(({ id }: { id: string }) => id),
      [capture],
    );
    await access(damaged);
    await service.stop();
  });
});

describe('chatkeep import of a file that lies in the drop folder', () => {
  it('is the same capture as the service made of it, and the file stays', async () => {
    await using home = await tempDir();
    const env = settingsIn(home.path);
    await using _disk = await mountTmpfs(join(home.path, 'backups'), '12m');
    await mkdir(join(home.path, 'drop'));
    await using service = new Service(env);
    await service.printed('watching');
    const zip = await largeExport(join(home.path, 'drop'));
    await service.printed(/the disk is full/i);
    const { code, stdout } = await chatkeep(['import', zip, '--json'], env);
    assert.equal(code, 5);
    const [{ capture }] = JSON.parse(stdout);
    const { open } = JSON.parse((await chatkeep(['status', '--json'], env)).stdout);
    assert.deepEqual(
      open.map(({ id }: { id: string }) => id),
      [capture],
    );
    await run('mount', ['-o', 'remount,size=64m', join(home.path, 'backups')]);
    await service.printed('committed as ada@example.test');
    await service.stop();
    assert.equal((await visibleSnapshots(join(home.path, 'backups'))).length, 1);
    assert.doesNotMatch(service.output, /was gone before/);
    await access(zip);
  });
});

describe('chatkeep import where something has the directories', () => {
  it('exits 4 when the last sign of life of a service is old', async () => {
    await using home = await tempDir();
    const state = join(home.path, 'state');
    using _lock = await lockDirectory(state, 'state directory');
    await writeHeartbeat(state, heartbeatAt(Date.now() - 3_600_000));
    const zip = await smallExport(home.path, 'small.zip');
    const { code, stderr } = await chatkeep(['import', zip], settingsIn(home.path));
    assert.equal(code, 4);
    assert.match(stderr, /state directory .* is in use by another Chatkeep/);
  });

  it('waits for the first sign of life of a service that is just starting, and a minute for it to accept the file', async () => {
    await using home = await tempDir();
    const env = settingsIn(home.path);
    const state = join(home.path, 'state');
    using _lock = await lockDirectory(state, 'state directory');
    const clock = new VirtualClock();
    const { config } = await loadConfig({ env });
    const zip = await smallExport(home.path, 'small.zip');
    const stuck = importFiles([{ path: zip, name: 'small.zip', afterwards: 'keep', account: undefined }], {
      config,
      logger: silentLogger,
      clock,
      signal: AbortSignal.timeout(30_000),
      onProgress: () => {},
    });
    let hasEnded = false;
    const noteEnd = () => {
      hasEnded = true;
    };
    stuck.then(noteEnd, noteEnd);
    const outcome = assert.rejects(stuck, (error) => {
      assert.ok(error instanceof ChatkeepError);
      assert.equal(error.class, 'in-use');
      assert.match(error.message, /has not accepted .*small\.zip within a minute/);
      return true;
    });
    await letPass(clock, 0, () => hasEnded);
    await letPass(clock, 2_000, () => hasEnded);
    await writeHeartbeat(state, heartbeatAt(clock.now()));
    await letPass(clock, 200, () => hasEnded);
    await letPass(clock, 59_000, () => hasEnded);
    assert.equal(hasEnded, false);
    await letPass(clock, 2_000, () => hasEnded);
    await outcome;
  });
});

describe('chatkeep import from a service that ends', () => {
  for (const [when, accepts] of [
    ['before it has accepted the file', false],
    ['after it has accepted the file', true],
  ] as const) {
    it(`goes on with the work itself, ${when}`, async () => {
      await using home = await tempDir();
      const { config } = await loadConfig({ env: settingsIn(home.path) });
      const clock = new VirtualClock(Date.now());
      // A service that does nothing but to be there.
      const lock = await lockDirectory(config.stateDir, 'state directory');
      await writeHeartbeat(config.stateDir, heartbeatAt(clock.now()));
      const path = await smallExport(home.path, 'small.zip');
      const file: HandIn = { path, name: 'small.zip', afterwards: 'keep', account: undefined };
      let hasEnded = false;
      const importing = importFiles([file], {
        config,
        logger: silentLogger,
        clock,
        signal: AbortSignal.timeout(60_000),
        onProgress: () => {},
      }).finally(() => {
        hasEnded = true;
      });
      await letPass(clock, 5_000, () => hasEnded);
      const accepted = fileCapture({
        name: 'unpacking',
        archive: { path, afterwards: 'keep', from: 'user' },
        attempt: 0,
      });
      if (accepts) await accept(config, accepted);
      await letPass(clock, 20_000, () => hasEnded);
      assert.equal(hasEnded, false);

      lock[Symbol.dispose]();
      await removeHeartbeat(config.stateDir);
      while (!hasEnded) await letPass(clock, 1_000, () => hasEnded);
      const [imported] = await importing;
      assert.equal(imported?.outcome.kind, 'committed');
      if (accepts) assert.equal(imported?.capture, accepted.id);
    });
  }
});

/** Records what a service records that takes the only hand-in in. */
async function accept(config: Config, capture: Capture): Promise<void> {
  await using journal = openSqliteJournal(journalPath(config));
  const [handIn] = await journal.pendingHandIns();
  assert.ok(handIn !== undefined);
  await journal.record({ captures: [capture], accepted: { handIn: handIn.id, capture: capture.id } });
}

function settingsIn(home: string): Environment {
  return {
    CHATKEEP_BACKUP_DIR: join(home, 'backups'),
    CHATKEEP_STATE_DIR: join(home, 'state'),
    CHATKEEP_DROP_DIR: join(home, 'drop'),
    CHATKEEP_LOG_FORMAT: 'json',
  };
}

/** An export that does not fit on the small disk. */
async function largeExport(directory: string): Promise<string> {
  const to = join(directory, 'large.zip');
  await writeExport(account, {
    generation: 'G5',
    stamp: new Date('2026-03-04T05:06:07Z'),
    assetBytes: 8_000_000,
    to,
  });
  return to;
}

async function smallExport(directory: string, name: string): Promise<string> {
  const to = join(directory, name);
  await writeExport(account, { generation: 'G5', stamp: new Date('2026-05-06T07:08:09Z'), to });
  return to;
}

/** Overwrites some data of the first entry, which follows its header of 30 bytes and its name. */
async function damageContent(zip: string): Promise<void> {
  const bytes = await readFile(zip);
  const dataAt = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
  bytes.fill(0xff, dataAt + 10, dataAt + 30);
  await writeFile(zip, bytes);
}

/** Lets time pass in small steps, each of which begins when all that the last one set off has been done. */
async function letPass(clock: VirtualClock, ms: number, hasEnded: () => boolean): Promise<void> {
  const isBusy = () => clock.sleeping === 0 && !hasEnded();
  for (let passed = 0; ; passed += 100) {
    while (isBusy()) await new Promise((resolve) => setImmediate(resolve));
    if (passed >= ms) return;
    await clock.advance(100);
  }
}

function heartbeatAt(at: number): Heartbeat {
  return { at, pid: 42, startedAt: at, mailboxes: [], work: [], lookedAt: at };
}
