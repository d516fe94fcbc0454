import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createAccount, type ExportFacts, writeExport } from '../support/openai/exports/index.ts';
import { chatkeep, type Environment, Service } from '../support/service.ts';
import { writeSnapshot } from '../support/snapshot-on-disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import { assertWholeSnapshot, visibleSnapshots } from '../support/world.ts';

const COMMANDS = ['run', 'import', 'status', 'snapshots', 'verify', 'restore', 'prune', 'config', 'healthcheck'];
const account = createAccount({ seed: 'cli', email: 'ada@example.test', conversations: 8 });

describe('chatkeep', () => {
  it('tells of each command with --help, and exits 0', async () => {
    for (const command of COMMANDS) {
      const { code, stdout } = await chatkeep([command, '--help'], {});
      assert.equal(code, 0, command);
      assert.match(stdout, new RegExp(`^Usage: chatkeep ${command}`), command);
    }
  });

  it('exits 2 for a command or a flag that does not exist, and for no command', async () => {
    for (const args of [['snapshot'], ['verify', '--fast'], [], ['--log-level', 'loud', 'snapshots']]) {
      const { code, stderr } = await chatkeep(args, {});
      assert.equal(code, 2, args.join(' '));
      assert.notEqual(stderr, '');
    }
  });

  it('exits 2 with every problem of the configuration and its fix', async () => {
    const { code, stderr } = await chatkeep(['config', 'check'], {
      CHATKEEP_IMAP_HOST: 'imap.example.org',
      CHATKEEP_IMAP_PORT: 'many',
      CHATKEEP_NOTIFI: 'x',
      CHATKEEP_NOTIFY: 'smoke://signals ntfy://ntfy.sh/fine tgram://nothing',
    });
    assert.equal(code, 2);
    for (const key of ['CHATKEEP_IMAP_PORT', 'CHATKEEP_IMAP_USER', 'CHATKEEP_BACKUP_DIR', 'CHATKEEP_NOTIFI']) {
      assert.match(stderr, new RegExp(key));
    }
    assert.equal(stderr.match(/^CHATKEEP_NOTIFY.*: /gm)?.length, 2, stderr);
  });

  it('run exits 2 when nothing is set, and tells what to set', async () => {
    await using home = await tempDir();
    const { code, stderr } = await chatkeep(['run'], settingsIn(home.path));
    assert.equal(code, 2);
    assert.match(stderr, /nothing is set yet.*CHATKEEP_IMAP_HOST/s);
  });
});

describe('chatkeep import, snapshots and verify', () => {
  let home: Awaited<ReturnType<typeof tempDir>>;
  let env: Environment;
  let facts: ExportFacts;
  let zip: string;
  before(async () => {
    home = await tempDir();
    env = settingsIn(home.path);
    zip = join(home.path, 'downloaded.zip');
    facts = await writeExport(account, { generation: 'G4', stamp: new Date('2026-03-04T05:06:07Z'), to: zip });
  });
  after(() => home[Symbol.asyncDispose]());

  it('keeps a ZIP as a snapshot under its stamp, and leaves the file', async () => {
    const { code, stdout } = await chatkeep(['import', zip], env);
    assert.equal(code, 0);
    assert.match(stdout, /kept as ada@example\.test\/2026-03-04T050607Z/);
    const [snapshot = ''] = await visibleSnapshots(join(home.path, 'backups'));
    await assertWholeSnapshot(snapshot);
    assert.ok((await readdir(home.path)).includes('downloaded.zip'));
  });

  it('says of the same export that it was kept before', async () => {
    const { code, stdout } = await chatkeep(['import', zip, '--json'], env);
    assert.equal(code, 0);
    const [result] = JSON.parse(stdout);
    assert.deepEqual([result.outcome, result.snapshot], ['duplicate', 'ada@example.test/2026-03-04T050607Z']);
  });

  it('refuses what is no ZIP with exit code 6 and the reason, and leaves the file', async () => {
    const page = join(home.path, 'page.zip');
    await writeFile(page, '<!DOCTYPE html><html><title>Log in</title></html>');
    const { code, stdout } = await chatkeep(['import', page], env);
    assert.equal(code, 6);
    assert.match(stdout, /web page/);
    assert.ok((await readdir(home.path)).includes('page.zip'));
  });

  it('exits 8 for a file that is not there', async () => {
    assert.equal((await chatkeep(['import', join(home.path, 'nothing.zip')], env)).code, 8);
  });

  it('hands the file to a running service, which has the directories', async () => {
    const second = join(home.path, 'second.zip');
    await writeExport(account, { generation: 'G5', stamp: new Date('2026-06-04T05:06:07Z'), to: second });
    await using service = new Service({
      ...env,
      CHATKEEP_DROP_DIR: join(home.path, 'drop'),
      CHATKEEP_LOG_FORMAT: 'json',
    });
    await service.printed('watching');
    const { code, stdout } = await chatkeep(['import', second, '--account', 'ada'], env);
    assert.equal(code, 0);
    assert.match(stdout, /kept as ada\/2026-06-04T050607Z/);
    assert.match(service.output, /committed as ada\/2026-06-04T050607Z/);
    assert.equal((await chatkeep(['healthcheck'], env)).code, 0);
    const status = await chatkeep(['status'], env);
    assert.equal(status.code, 0);
    assert.match(status.stdout, /The service runs and is well/);
    await service.stop();
  });

  it('lists the snapshots for people and as JSON', async () => {
    const { stdout } = await chatkeep(['snapshots'], env);
    assert.match(stdout, /ada@example\.test\/2026-03-04T050607Z +2026-03-04 05:06 UTC/);
    const { snapshots } = JSON.parse(
      (await chatkeep(['snapshots', '--json', '--account', 'ada@example.test'], env)).stdout,
    );
    assert.deepEqual(
      snapshots.map(({ files }: { files: number }) => files),
      [facts.entries.length],
    );
  });

  it('finds every snapshot sound, and then a flipped byte, a missing and an extra file', async () => {
    assert.equal((await chatkeep(['verify'], env)).code, 0);
    const [damaged = ''] = (await visibleSnapshots(join(home.path, 'backups'))).filter((path) => path.includes('@'));
    const [victim = '', missing = ''] = facts.entries.map(({ path }) => join(damaged, path));
    await chmod(victim, 0o600);
    await flipByte(victim);
    await rm(missing);
    await appendFile(join(damaged, 'extra.txt'), 'x');
    const { code, stdout } = await chatkeep(['verify', 'ada@example.test/2026-03-04T050607Z'], env);
    assert.equal(code, 3);
    for (const kind of ['changed', 'missing', 'extra']) assert.match(stdout, new RegExp(`^ +${kind}: `, 'm'));
    const { snapshots } = JSON.parse((await chatkeep(['verify', '--json'], env)).stdout);
    assert.deepEqual(snapshots.map(({ ok }: { ok: boolean }) => ok).sort(), [false, true]);
    assert.equal((await chatkeep(['verify', 'nobody'], env)).code, 8);
  });

  it('tells with exit code 7 that the service does not run', async () => {
    assert.equal((await chatkeep(['healthcheck'], env)).code, 7);
    const status = await chatkeep(['status'], env);
    assert.equal(status.code, 7);
    assert.match(status.stdout, /2 snapshots; the newest is ada\/2026-06-04T050607Z/);
  });
});

describe('chatkeep snapshots', () => {
  it('shows what was counted in each export, and a dash where nothing was', async () => {
    await using home = await tempDir();
    const backups = join(home.path, 'backups');
    const env = { CHATKEEP_BACKUP_DIR: backups, CHATKEEP_STATE_DIR: join(home.path, 'state') };
    await writeSnapshot(backups, 'ada', Date.UTC(2026, 2, 4));
    assert.match((await chatkeep(['snapshots'], env)).stdout, /^SNAPSHOT +EXPORTED +FILES +SIZE +FROM\n/);

    const counts = { conversations: 412, messages: 42_412, images: 60, audio: 4 };
    await writeSnapshot(backups, 'ada', Date.UTC(2026, 5, 4), counts);
    const lines = (await chatkeep(['snapshots'], env)).stdout
      .split('\n')
      .map((line) => line.split(/ {2,}/).slice(0, 6));
    assert.deepEqual(lines.slice(0, 3), [
      ['SNAPSHOT', 'EXPORTED', 'CONVERSATIONS', 'MESSAGES', 'ATTACHMENTS', 'FILES'],
      ['ada/2026-03-04T000000Z', '2026-03-04 00:00 UTC', '–', '–', '–', '1'],
      ['ada/2026-06-04T000000Z', '2026-06-04 00:00 UTC', '412', '42,412', '64', '1'],
    ]);
    assert.deepEqual(JSON.parse((await chatkeep(['status', '--json'], env)).stdout).newestSnapshot.counts, counts);
    assert.deepEqual(JSON.parse((await chatkeep(['snapshots', '--json'], env)).stdout).snapshots.at(-1).counts, counts);
  });
});

describe('chatkeep config show', () => {
  it('prints the whole configuration with secrets redacted', async () => {
    await using home = await tempDir();
    await mkdir(join(home.path, 'secrets'));
    const { code, stdout } = await chatkeep(['config', 'show'], {
      ...settingsIn(home.path),
      CHATKEEP_IMAP_HOST: 'imap.example.org',
      CHATKEEP_IMAP_USER: 'ada',
      CHATKEEP_IMAP_PASSWORD: 'hunter2-the-password',
      CHATKEEP_NOTIFY: 'ntfy://ntfy.sh/hunter2-the-topic',
    });
    assert.equal(code, 0);
    assert.match(stdout, /host: imap\.example\.org/);
    assert.match(stdout, /password: "?\[redacted\]"?/);
    assert.doesNotMatch(stdout, /hunter2/);
  });
});

function settingsIn(home: string): Environment {
  return { CHATKEEP_BACKUP_DIR: join(home, 'backups'), CHATKEEP_STATE_DIR: join(home, 'state') };
}

async function flipByte(file: string): Promise<void> {
  await using handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, 0);
  await handle.write(Buffer.of(byte.readUInt8(0) ^ 1), 0, 1, 0);
}
