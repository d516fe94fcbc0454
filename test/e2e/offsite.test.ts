import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { listSnapshots, verifySnapshot } from '../../src/snapshot/index.ts';
import { eventually } from '../support/eventually.ts';
import { saveHonestZip } from '../support/honest-zip.ts';
import { chatkeep, type Environment, Service } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';

/** A service with a drop folder, and two places off-site, by a configuration file. */
async function startHome() {
  const temporary = await tempDir();
  const at = (name: string) => join(temporary.path, name);
  await writeFile(at('password'), 'a password of restic\n', { mode: 0o600 });
  await writeFile(
    at('chatkeep.yaml'),
    `backup_dir: backups
state_dir: state
drop_dir: drop
log: { format: json }
offsite:
  - name: vault
    restic: { repository: '${at('repository')}', password_file: password, keep: { last: 5 } }
  - rclone: { remote: '${at('remote')}' }
`,
    { mode: 0o600 },
  );
  const env: Environment = { CHATKEEP_CONFIG: at('chatkeep.yaml') };
  return {
    at,
    env,
    async export(day: number, pictureBytes = 0): Promise<void> {
      const made = at(`export-${day}.zip`);
      await saveHonestZip(made, {
        'user.json': '{"email":"ada@example.test"}',
        'chat.html': `<html>${day}`,
        'picture.png': randomBytes(pictureBytes / 2).toString('hex'),
      });
      await rename(made, at(`drop/${'0'.repeat(64)}-2026-11-0${day}-10-00-00-${'a'.repeat(32)}.zip`));
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

interface PlaceStatus {
  readonly name: string;
  readonly copied: number;
  readonly missing: number;
  readonly trouble: string | null;
}

async function placesOf(env: Environment): Promise<PlaceStatus[]> {
  const { stdout } = await chatkeep(['status', '--json'], env);
  return JSON.parse(stdout).offsite;
}

describe('The service, with places off-site', () => {
  it('copies each snapshot there; one place that fails holds up neither the backup nor the other', async () => {
    await using home = await startHome();
    const { at, env } = home;
    const service = new Service(env);
    await using _service = service;
    await service.printed('watching');
    await home.export(1);
    await service.printed('committed as ada@example.test');
    await service.printed('copied to rclone');
    // The repository was not made yet.
    await service.printed('There is no restic repository at that place');
    const [vault, rclone] = await placesOf(env);
    assert.deepEqual([vault?.copied, vault?.missing, rclone?.copied, rclone?.missing], [0, 1, 1, 0]);
    assert.match(vault?.trouble ?? '', /chatkeep offsite init/);

    const { code, stdout } = await chatkeep(['offsite', 'init'], env);
    assert.deepEqual([code, stdout], [0, 'vault: ready\nrclone: ready\n']);
    const run = await chatkeep(['offsite', 'run', 'vault'], env);
    assert.deepEqual([run.code, run.stdout], [0, 'vault: all snapshots are there\n']);
    const page = await chatkeep(['status'], env);
    assert.match(page.stdout, /^Off-site copy vault: all snapshots are there, copied last /m);

    const [copied] = (await listSnapshots(at('remote'))).snapshots;
    assert.ok(copied !== undefined && (await verifySnapshot(copied)).ok);
    const check = await chatkeep(['offsite', 'check'], env);
    assert.deepEqual([check.code, check.stdout], [0, 'vault: sound\nrclone: sound\n']);
    await service.stop();
    assert.doesNotMatch(service.output, /a password of restic/);
  });

  it('goes on after it was killed in the middle of a copy', async () => {
    await using home = await startHome();
    const { at, env } = home;
    assert.equal((await chatkeep(['offsite', 'init', 'vault'], env)).code, 0);
    // Slow enough to be killed on the way.
    await writeFile(at('variables'), 'RCLONE_BWLIMIT=2M\n', { mode: 0o600 });
    const config = await readFile(at('chatkeep.yaml'), 'utf8');
    await writeFile(at('chatkeep.yaml'), config.replace("remote'", "remote', environment_file: variables"));
    {
      await using service = new Service(env);
      await service.printed('watching');
      await home.export(1, 20_000_000);
      await service.printed('copying 1 export to rclone');
      await service.kill();
    }
    const [half] = (await listSnapshots(at('remote')).catch(() => ({ snapshots: [] }))).snapshots;
    assert.equal(half, undefined, 'what is half there is no snapshot');
    await writeFile(at('variables'), '', { mode: 0o600 });
    await using service = new Service(env);
    await eventually(async () => (await placesOf(env)).every(({ missing }) => missing === 0));
    await service.stop();
    const [copied] = (await listSnapshots(at('remote'))).snapshots;
    assert.ok(copied !== undefined && (await verifySnapshot(copied)).ok);
  });
});

describe('chatkeep offsite', () => {
  it('tells what is wrong by its exit code, and names the places there are', async () => {
    await using home = await startHome();
    const unknown = await chatkeep(['offsite', 'run', 'cloud'], home.env);
    assert.equal(unknown.code, 8);
    assert.match(unknown.stderr, /No off-site copy is called "cloud".\nThere are: vault, rclone/);
    await writeFile(home.at('remote'), 'a file where a folder should be');
    const failed = await chatkeep(['offsite', 'init', 'rclone'], home.env);
    assert.equal(failed.code, 5);
    assert.match(failed.stdout, /^rclone: not ready\. rclone mkdir ended with exit code/);
  });

  it('says how to configure one where there is none', async () => {
    const { code, stderr } = await chatkeep(['offsite', 'run'], {
      CHATKEEP_BACKUP_DIR: '/tmp/nowhere/backups',
      CHATKEEP_STATE_DIR: '/tmp/nowhere/state',
    });
    assert.equal(code, 2);
    assert.match(stderr, /docs\/how-to\/offsite\.md/);
  });
});
