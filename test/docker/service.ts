import assert from 'node:assert/strict';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { docker, VERSION } from '../support/docker/engine.ts';
import { type DockerWorld, startDockerWorld } from '../support/docker/world.ts';
import { eventually } from '../support/eventually.ts';
import { ACCESS_TOKEN, assertWholeSnapshot, filesBelow } from '../support/world.ts';

/** Paths below which the container may write: its volumes and its temporary files. */
const MAY_BE_WRITTEN = /^[AC] \/(backups|state|tmp|run|run\/secrets|etc|dev)?$/;
/** So that Docker asks for the health every second. */
const QUICK_HEALTH = ['--health-interval=1s', '--health-retries=1', '--health-start-period=0s'];
const PROGRAM = "ps -o args= -e 2>/dev/null || cat /proc/[0-9]*/cmdline | tr '\\0' ' '";

describe('The image', () => {
  it('takes a mail in and puts the snapshot out, with a read-only root, no rights, and nothing written elsewhere', async () => {
    await using world = await startDockerWorld();
    const container = await world.start({ options: QUICK_HEALTH });
    await world.deliver({ seed: 'docker', assetBytes: 300_000 });
    const [snapshot = ''] = await world.snapshots(1);
    await assertWholeSnapshot(snapshot);
    await assertOwnedBy(1000, world);
    await eventually(async () => (await container.health()) === 'healthy', 120_000);

    const status = (await container.exec('cat', '/proc/1/status')).stdout;
    assert.match(status, /^Uid:\s+1000\s+1000\s+1000\s+1000$/m);
    assert.match(status, /^CapEff:\s+0+$/m);
    assert.match(status, /^CapBnd:\s+0+$/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    for (const path of ['/app', '/usr/local/bin', '/etc', '/home/node']) {
      const { code, stderr } = await container.exec('touch', `${path}/mark`);
      assert.notEqual(code, 0, path);
      assert.match(stderr, /Read-only file system/, path);
    }

    await assertNoSecrets(world, container.name, (await container.exec('sh', '-c', PROGRAM)).stdout);
    assert.equal(await container.stop(), 0);
    const foreign = (await container.diff()).filter((line) => !MAY_BE_WRITTEN.test(line) && !isMountPoint(line));
    assert.deepEqual(foreign, []);
  });

  it('stops in mid-download with exit code 0 and is killed in mid-download, and goes on where it was', async () => {
    await using world = await startDockerWorld({ bytesPerSecond: 3_000_000 });
    const container = await world.start({ env: { CHATKEEP_DOWNLOAD_CONNECTIONS: '1' } });
    const { bytes } = await world.deliver({ seed: 'broken', assetBytes: 24_000_000 });
    const sent = async () => (await world.simulator.requests()).reduce((sum, { bytesSent }) => sum + bytesSent, 0);
    await eventually(async () => (await sent()) > 4_000_000);
    assert.equal(await container.stop(), 0);
    await container.start();
    await eventually(async () => (await world.simulator.requests()).length === 2);
    const before = await sent();
    await eventually(async () => (await sent()) > before + 4_000_000);
    await container.kill();
    assert.equal(await container.exitCode(), 137);
    await container.start();
    const [snapshot = ''] = await world.snapshots(1);
    await assertWholeSnapshot(snapshot);
    assert.equal(await container.stop(), 0);
    const ranges = (await world.simulator.requests()).map(({ range }) =>
      Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0),
    );
    assert.equal(ranges[0], 0);
    assert.ok((ranges[1] ?? 0) > 1_000_000, 'after docker stop');
    assert.ok((ranges[2] ?? 0) > (ranges[1] ?? 0), 'after docker kill');
    assert.ok((ranges[2] ?? 0) < bytes);
  });

  it('turns unhealthy, with the reason, when its mailbox is a black hole', async () => {
    await using world = await startDockerWorld();
    const container = await world.start({ options: QUICK_HEALTH });
    await eventually(async () => (await container.health()) === 'healthy', 120_000);
    await world.cutMail();
    await eventually(async () => (await container.health()) === 'unhealthy', 180_000);
    const { code, stderr } = await container.exec('chatkeep', 'healthcheck');
    assert.equal(code, 7);
    assert.match(stderr, /The mailbox "ada@example\.test" (has not answered|could not be used) for/);
    assert.equal(await container.stop(), 0);
  });

  it('becomes PUID:PGID when it is started as root, in the service, the health check and `docker exec`', async () => {
    await using world = await startDockerWorld({ uid: 1026 });
    const container = await world.start({
      env: { PUID: '1026', PGID: '1026' },
      options: ['--user=0:0', '--cap-add=SETUID', '--cap-add=SETGID', ...QUICK_HEALTH],
    });
    await world.deliver({ seed: 'nas', assetBytes: 100_000 });
    await assertWholeSnapshot((await world.snapshots(1))[0] ?? '');
    await assertOwnedBy(1026, world);
    await eventually(async () => (await container.health()) === 'healthy', 120_000);
    const status = (await container.exec('cat', '/proc/1/status')).stdout;
    assert.match(status, /^Uid:\s+1026\s+1026\s+1026\s+1026$/m);
    assert.match(status, /^Groups:\s*$/m);
    assert.match(status, /^CapPrm:\s+0+$/m);
    assert.match((await container.exec('chatkeep', 'status')).stdout, /ada@example\.test/);
    assert.equal(await container.stop(), 0);
    await assertOwnedBy(1026, world);
  });

  it('streams an export that is larger than its memory without running out of it', async () => {
    await using world = await startDockerWorld();
    const container = await world.start({
      options: ['--memory=256m', '--memory-swap=256m'],
      env: { CHATKEEP_LOG_LEVEL: 'info' },
    });
    await world.deliver({ seed: 'large', assetBytes: 600_000_000, conversationsBytes: 100_000_000 });
    const [snapshot = ''] = await world.snapshots(1, 15 * 60_000);
    assert.equal(await container.inspect('{{.State.OOMKilled}}'), 'false');
    assert.equal(await container.inspect('{{.RestartCount}}'), '0');
    const { findings, counts } = JSON.parse(await readFile(join(snapshot, '.chatkeep/snapshot.json'), 'utf8'));
    assert.ok(counts.conversations > 0, `the export was read: ${findings}`);
    assert.equal(await container.stop(), 0);
  });

  it('says what it is: version, revision, and a health check', async () => {
    const labels = JSON.parse(
      await docker('image', 'inspect', '--format', '{{json .Config.Labels}}', 'chatkeep-test:image'),
    );
    assert.equal(labels['org.opencontainers.image.version'], VERSION);
    assert.equal(labels['org.opencontainers.image.revision'], '0123abcd');
    assert.equal(labels['org.opencontainers.image.licenses'], 'MIT');
    const check = await docker(
      'image',
      'inspect',
      '--format',
      '{{json .Config.Healthcheck.Test}}',
      'chatkeep-test:image',
    );
    assert.deepEqual(JSON.parse(check), ['CMD', 'chatkeep', 'healthcheck']);
  });

  it('is at most 60 MB larger than its base, and belongs to root, so that it cannot change itself', async () => {
    const [size, base] = await Promise.all(['chatkeep-test:image', 'node:24-bookworm-slim'].map(sizeOfImage));
    assert.ok((size ?? 0) - (base ?? 0) <= 60_000_000, `${(size ?? 0) - (base ?? 0)} bytes`);
    const found = await docker(
      ...['run', '--rm', '--network=none', '--entrypoint=find', 'chatkeep-test:image'],
      ...[
        '/app',
        '/usr/local/bin/chatkeep',
        '(',
        '-not',
        '-user',
        'root',
        '-o',
        '-perm',
        '/022',
        ')',
        '-not',
        '-type',
        'l',
      ],
    );
    assert.equal(found, '');
  });
});

async function sizeOfImage(image: string): Promise<number> {
  return Number(await docker('image', 'inspect', '--format', '{{.Size}}', image));
}

/** Everything below the folders belongs to one user. */
async function assertOwnedBy(uid: number, { backups, state }: DockerWorld): Promise<void> {
  for (const folder of [backups, state]) {
    for (const path of await filesBelow(folder)) {
      // What is in work at this moment may be gone the next.
      const stats = await lstat(join(folder, path)).catch(() => undefined);
      if (stats !== undefined) assert.deepEqual([stats.uid, stats.gid], [uid, uid], path);
    }
  }
}

/** What Docker makes of mount points in a read-only container. */
function isMountPoint(line: string): boolean {
  return /^[AC] \/(run\/secrets|backups|state|tmp|drop)(\/|$)/.test(line);
}

/** Secrets given as files are in no image layer, not in what `docker inspect` shows, and in no process list. */
async function assertNoSecrets({ dovecot }: DockerWorld, container: string, processes: string): Promise<void> {
  assert.match(processes, /main\.js run/);
  const inspected = await docker('inspect', container);
  const history = await docker('history', '--no-trunc', 'chatkeep-test:image');
  for (const secret of [dovecot.password, ACCESS_TOKEN]) {
    for (const [where, text] of Object.entries({ inspected, history, processes })) {
      assert.ok(!text.includes(secret), where);
    }
  }
}
