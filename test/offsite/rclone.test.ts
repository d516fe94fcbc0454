import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { RcloneConfig } from '../../src/config/index.ts';
import { OffsiteError, type OffsiteTool } from '../../src/offsite/index.ts';
import { createRclone } from '../../src/offsite/rclone.ts';
import { keptExports, listSnapshots, verifySnapshot } from '../../src/snapshot/index.ts';
import { again, CONTEXT, commit, type Home, LIMITS, makeHome, run } from './place.ts';

/** A remote of the `local` kind, which to rclone is one like any other. */
async function remoteIn(
  home: Home,
  changes: Partial<RcloneConfig> = {},
): Promise<{ readonly tool: OffsiteTool; readonly path: string }> {
  const path = join(home.path, 'remote/chat gpt');
  const configFile = await home.secret('rclone.conf', `[nas]\ntype = alias\nremote = ${dirname(path)}\n`);
  const config: RcloneConfig = { remote: 'nas:chat gpt', configFile, ...changes };
  return { tool: createRclone(config, { backups: home.backups }, LIMITS), path };
}

async function all(home: Home) {
  return keptExports(await listSnapshots(home.backups));
}

describe('A copy by rclone', () => {
  it('is a backup directory itself: its snapshots are listed and verify', async () => {
    await using home = await makeHome();
    await commit(home, 1);
    await commit(home, 2);
    const { tool, path } = await remoteIn(home);
    const copied = await tool.copy(await all(home), CONTEXT);
    const there = await listSnapshots(path);
    assert.deepEqual(
      copied,
      there.snapshots.map(({ id }) => id),
    );
    assert.equal(copied.length, 2);
    assert.deepEqual([there.strangers, there.damaged], [[], []]);
    for (const snapshot of there.snapshots) assert.ok((await verifySnapshot(snapshot)).ok);
    assert.match(await readFile(join(path, 'README.txt'), 'utf8'), /backups of ChatGPT data/);
  });

  it('holds the records of exports in which nothing has changed, too', async () => {
    await using home = await makeHome();
    const first = await commit(home, 1);
    const { tool, path } = await remoteIn(home);
    await tool.copy(await all(home), CONTEXT);
    await again(home, 1, 2);
    const copied = await tool.copy(await all(home), CONTEXT);
    assert.deepEqual(
      copied,
      (await all(home)).map(({ id }) => id),
    );
    const [unchanged, ...others] = (await listSnapshots(path)).unchanged;
    assert.deepEqual([unchanged?.snapshot.id, others], [first.id, []]);
    assert.deepEqual(await tool.check(await all(home), CONTEXT), []);
    await rm(join(path, unchanged?.id ?? ''));
    assert.deepEqual(await tool.check(await all(home), CONTEXT), [`${unchanged?.id} is not there any more.`]);
  });

  it('brings only what is not there', async () => {
    await using home = await makeHome();
    const first = await commit(home, 1);
    const { tool, path } = await remoteIn(home);
    await tool.copy(await all(home), CONTEXT);
    const before = await stat(join(path, first.id, 'chat.html'));
    await commit(home, 2);
    await tool.copy(await all(home), CONTEXT);
    assert.equal((await stat(join(path, first.id, 'chat.html'))).ctimeMs, before.ctimeMs);
    assert.equal((await listSnapshots(path)).snapshots.length, 2);
  });

  it('deletes nothing that was deleted here, and changes nothing that was changed there', async () => {
    await using home = await makeHome();
    const first = await commit(home, 1);
    const { tool, path } = await remoteIn(home);
    await tool.copy(await all(home), CONTEXT);
    await appendFile(join(path, 'README.txt'), 'mine');
    await rm(first.path, { recursive: true });
    await commit(home, 2);
    await tool.copy(await all(home), CONTEXT);
    assert.equal((await listSnapshots(path)).snapshots.length, 2);
    assert.match(await readFile(join(path, 'README.txt'), 'utf8'), /mine$/);
  });

  it('completes one that was broken off, and not before is it a snapshot there', async () => {
    await using home = await makeHome();
    const { id } = await commit(home, 1);
    const { tool, path } = await remoteIn(home);
    // What rclone leaves behind when it is killed: a file cut off, one that is missing, and no mark.
    await mkdir(join(path, id, '.chatkeep'), { recursive: true });
    await writeFile(join(path, id, 'chat.html'), '<ht');
    await utimes(join(path, id, 'chat.html'), 0, 0);
    assert.deepEqual((await listSnapshots(path)).snapshots, []);
    assert.deepEqual(await tool.copy(await all(home), CONTEXT), [id]);
    const [copied] = (await listSnapshots(path)).snapshots;
    assert.ok(copied !== undefined && (await verifySnapshot(copied)).ok);
  });

  it('finds by its check what is missing or has changed there', async () => {
    await using home = await makeHome();
    const [first, second] = [await commit(home, 1), await commit(home, 2)];
    const { tool, path } = await remoteIn(home);
    const snapshots = await all(home);
    await tool.copy(snapshots, CONTEXT);
    assert.deepEqual(await tool.check(snapshots, CONTEXT), []);
    await rm(join(path, first.id), { recursive: true });
    await rm(join(path, second.id, 'chat.html'));
    const problems = await tool.check(snapshots, CONTEXT);
    assert.equal(problems.length, 2);
    assert.equal(problems[0], `${first.id} is not there any more.`);
    assert.match(problems[1] ?? '', /is not there as it is here\. It says: Failed to check: 1 differences found/);
    assert.deepEqual((await tool.copy(snapshots, CONTEXT)).length, 2);
  });

  it('says what is wrong, without the variables', async () => {
    await using home = await makeHome();
    await commit(home, 1);
    const environmentFile = await home.secret('variables', 'RCLONE_CONFIG_PASS=nowhere\n');
    const { tool } = await remoteIn(home, { remote: 'nowhere:x', environmentFile });
    await assert.rejects(tool.copy(await all(home), CONTEXT), (error) => {
      assert.ok(error instanceof OffsiteError);
      assert.match(error.message, /rclone lsf ended with exit code 1\. It says: .*didn't find section/);
      assert.doesNotMatch(error.message, /nowhere/);
      return true;
    });
  });

  it('says that the file with the variables is missing', async () => {
    await using home = await makeHome();
    const { tool } = await remoteIn(home, { environmentFile: join(home.path, 'gone') });
    await assert.rejects(tool.copy([], CONTEXT), /gone, the file with variables, cannot be read \(ENOENT\)/);
  });

  it('fails while another content is there under the name of a snapshot', async () => {
    await using home = await makeHome();
    const { id } = await commit(home, 1);
    const { tool, path } = await remoteIn(home);
    await mkdir(dirname(join(path, id)), { recursive: true });
    await writeFile(join(path, id), 'a file');
    await assert.rejects(tool.copy(await all(home), CONTEXT), /rclone copy ended with exit code \d/);
    assert.deepEqual(await readdir(dirname(join(path, id))), [id.split('/')[1]]);
  });

  it('makes the place ready', async () => {
    await using home = await makeHome();
    const { tool, path } = await remoteIn(home);
    await tool.init(CONTEXT);
    await tool.init(CONTEXT);
    assert.deepEqual(await readdir(path), []);
    await run('rclone', ['version']);
  });
});
