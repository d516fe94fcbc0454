import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chown, cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { composeProject } from '../support/docker/compose.ts';
import { buildImage, docker, dockerResult, FULL_IMAGE, IMAGE, LABEL, REPOSITORY } from '../support/docker/engine.ts';
import { makeFolders, runContainer, startDockerWorld, UID, writeSecret } from '../support/docker/world.ts';
import { eventually } from '../support/eventually.ts';
import { createAccount, writeExport } from '../support/openai/exports/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { ACCESS_TOKEN, assertWholeSnapshot } from '../support/world.ts';

describe('compose.yaml, as it is', () => {
  it('starts a service that turns healthy, takes a mail in, keeps the snapshot in ./backups, and shows no secret', async () => {
    await using world = await startDockerWorld();
    await using project = await composeProject(world, join(REPOSITORY, 'compose.yaml'));
    await project.up();
    const { bytes, link } = await world.deliver({ seed: 'compose', assetBytes: 200_000 });
    assert.ok(bytes > 200_000);
    const container = await project.container('chatkeep');
    await eventually(async () => (await container.health()) === 'healthy', 120_000);
    const [snapshot = ''] = await world.snapshots(1);
    await assertWholeSnapshot(snapshot);

    const [inspected, processes, logs] = await Promise.all([
      docker('inspect', container.name),
      docker('top', container.name, '-eo', 'pid,args'),
      container.logs(),
    ]);
    assert.match(processes, /main\.js run/);
    assert.match(logs, /watching/);
    for (const secret of [world.dovecot.password, ACCESS_TOKEN, link]) {
      for (const [where, text] of Object.entries({ inspected, processes, logs }))
        assert.ok(!text.includes(secret), where);
    }
    const host = JSON.parse(await docker('inspect', '--format', '{{json .HostConfig}}', container.name));
    assert.equal(host.ReadonlyRootfs, true);
    assert.deepEqual(host.CapDrop, ['ALL']);
    assert.deepEqual(host.RestartPolicy.Name, 'unless-stopped');

    assert.equal(await container.stop(), 0);
    await project.down();
    await assertWholeSnapshot(snapshot);
  });
});

describe('The build', () => {
  it('takes nothing along that lies beside the sources: secrets, settings, logins, backups', async () => {
    const mark = 'of-the-owner-5ec2e7-alone';
    await using checkout = await tempDir();
    for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'LICENSE'].concat([
      'src',
      'scripts',
      'config',
      'docker',
      'Dockerfile',
      '.dockerignore',
      'compose.yaml',
    ]))
      await cp(join(REPOSITORY, name), join(checkout.path, name), { recursive: true });
    for (const path of [
      '.env',
      'src/.env',
      'secrets/imap_password',
      'logins/chatgpt_cookies.txt',
      'config/chatkeep.yaml',
    ].concat([
      'state/journal.sqlite',
      'backups/ada@example.test/2026-11-21T190533Z/chat.html',
      'docker/.npmrc',
      '.git/config',
    ])) {
      await mkdir(dirname(join(checkout.path, path)), { recursive: true });
      await writeFile(join(checkout.path, path), mark);
    }
    const image = 'chatkeep-test:littered';
    await buildImage('chatkeep', image, checkout.path);
    try {
      // The second shows that layers are looked into.
      assert.deepEqual(await foundInLayers(image, [mark, 'Chatkeep never runs as root']), [
        'Chatkeep never runs as root',
      ]);
    } finally {
      await docker('image', 'rm', image);
    }
  });
});

describe('The image with programs for copies elsewhere (target `full`)', () => {
  it('copies to a place by restic and to one by rclone, and checks both', async () => {
    await using folders = await makeFolders();
    const elsewhere = join(folders.base, 'elsewhere');
    await mkdir(elsewhere);
    const account = createAccount({ seed: 'full', email: 'ada@example.test', conversations: 2 });
    const file = join(elsewhere, 'export.zip');
    await writeExport(account, { generation: 'G5', stamp: new Date('2026-11-21T19:05:33Z'), to: file });
    for (const path of [elsewhere, file]) await chown(path, UID, UID);
    await writeSecret(folders, 'restic_password', 'a password of restic');
    await writeSecret(folders, 'chatkeep.yaml', PLACES);
    const { code, stdout, stderr } = await runContainer(folders.mounts, {
      env: { CHATKEEP_CONFIG: '/run/secrets/chatkeep.yaml' },
      options: [`--volume=${elsewhere}:/elsewhere`, '--entrypoint=sh'],
      image: FULL_IMAGE,
      command: ['-ec', COPYING],
    });
    assert.equal(code, 0, stdout + stderr);
    const places = JSON.parse(stdout).offsite.map(({ name, copied, missing, trouble }: PlaceStatus) => ({
      name,
      copied,
      missing,
      trouble,
    }));
    assert.deepEqual(places, [
      { name: 'vault', copied: 1, missing: 0, trouble: null },
      { name: 'nas', copied: 1, missing: 0, trouble: null },
    ]);
    await assertWholeSnapshot(join(elsewhere, 'remote/ada@example.test/2026-11-21T190533Z'));
  });

  it('is the only one that has them: the standard image has neither, nor ssh', async () => {
    const look = ['--rm', `--label=${LABEL}`, '--network=none', '--entrypoint=sh'];
    const command = ['-c', 'for each in restic rclone ssh; do command -v $each; done; true'];
    const inImage = async (image: string) => (await dockerResult('run', ...look, image, ...command)).stdout;
    assert.equal(await inImage(FULL_IMAGE), '/usr/bin/restic\n/usr/bin/rclone\n/usr/bin/ssh\n');
    assert.equal(await inImage(IMAGE), '');
  });
});

interface PlaceStatus {
  readonly name: string;
  readonly copied: number;
  readonly missing: number;
  readonly trouble: string | null;
}

const PLACES = stringify({
  backup_dir: '/backups',
  state_dir: '/state',
  offsite: [
    { name: 'vault', restic: { repository: '/elsewhere/repository', password_file: '/run/secrets/restic_password' } },
    { name: 'nas', rclone: { remote: '/elsewhere/remote' } },
  ],
});

/** Prints the state at the end (exit code 7: no service runs); what a command has said only if it failed. */
const COPYING = `
for each in 'import /elsewhere/export.zip' 'offsite init' 'offsite run' 'offsite check'; do
  chatkeep $each >/tmp/said || { cat /tmp/said; exit 1; }
done
chatkeep status --json || test $? -eq 7`;

/** Those of `texts` that are anywhere in an image: in its layers, which are not compressed, and in what describes it. */
async function foundInLayers(image: string, texts: readonly string[]): Promise<string[]> {
  const overlap = Math.max(...texts.map((text) => text.length)) - 1;
  const found = new Set<string>();
  const save = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'inherit'] });
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of save.stdout as AsyncIterable<Buffer>) {
    const window = Buffer.concat([rest, chunk]);
    for (const text of texts) if (window.includes(text)) found.add(text);
    rest = window.subarray(-overlap);
  }
  return texts.filter((text) => found.has(text));
}
