import assert from 'node:assert/strict';
import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createAccount, type ExportFacts, writeExport } from '../support/openai/exports/index.ts';
import { chatkeep, type Environment } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';
import { assertWholeSnapshot, hashesOf, visibleSnapshots } from '../support/world.ts';

const account = createAccount({ seed: 'verify', email: 'ada@example.test', conversations: 8 });
const OLDER = 'ada@example.test/2026-03-04T050607Z';
const NEWER = 'ada@example.test/2026-03-05T050607Z';

describe('chatkeep verify and restore', () => {
  let home: Awaited<ReturnType<typeof tempDir>>;
  let env: Environment;
  let facts: ExportFacts;
  let older: string;
  let newer: string;
  before(async () => {
    home = await tempDir();
    env = { CHATKEEP_BACKUP_DIR: join(home.path, 'backups'), CHATKEEP_STATE_DIR: join(home.path, 'state') };
    const zips = ['2026-03-04T05:06:07Z', '2026-03-05T05:06:07Z'].map((stamp) => ({
      stamp: new Date(stamp),
      to: join(home.path, `${stamp.slice(0, 10)}.zip`),
    }));
    for (const zip of zips) facts = await writeExport(account, { generation: 'G4', ...zip });
    await chatkeep(['import', ...zips.map(({ to }) => to)], env);
    [older = '', newer = ''] = await visibleSnapshots(join(home.path, 'backups'));
  });
  after(() => home[Symbol.asyncDispose]());

  it('reads a sample, and goes on behind it the next time', async () => {
    const checked: number[] = [];
    for (let sample = 0; sample < 4; sample += 1) {
      const { code, stdout } = await chatkeep(['verify', '--sample', '40%', '--json'], env);
      assert.equal(code, 0);
      checked.push(JSON.parse(stdout).snapshots[0].checkedFiles);
    }
    assert.ok(
      checked.every((files) => files < facts.entries.length),
      `${checked}`,
    );
    const [first = 0, second = 0, third = 0] = checked;
    assert.ok(first + second + third >= facts.entries.length, `${checked} of ${facts.entries.length}`);
    for (const wrong of ['0', '101%', 'some'])
      assert.equal((await chatkeep(['verify', '--sample', wrong], env)).code, 2, wrong);
  });

  it('restores the latest snapshot into a directory that sha256sum verifies', async () => {
    const target = join(home.path, '2026-03-05T050607Z');
    const { code, stdout } = await chatkeep(['restore', 'latest', target], env);
    assert.equal(code, 0);
    assert.match(stdout, /restored to .*, each verified/);
    await assertWholeSnapshot(target);
    assert.deepEqual(await hashesOf(target), await hashesOf(newer));
    assert.equal((await chatkeep(['restore', 'latest', target], env)).code, 2, 'it is not empty any more');
    assert.equal((await chatkeep(['restore', '2025', join(home.path, 'nowhere')], env)).code, 8);
    assert.equal((await chatkeep(['restore', 'ada@example.test', join(home.path, 'nowhere')], env)).code, 8);
    assert.ok(!(await readdir(home.path)).includes('nowhere'));
  });

  it('names a rotten file, and every snapshot that shares it; a restore brings the rest', async () => {
    const image = facts.entries.find(({ path }) => /\.(png|jpg|webp)$/.test(path))?.path ?? '';
    await chmod(join(older, image), 0o600);
    await writeFile(join(older, image), 'rot');
    const rotten = await chatkeep(['verify'], env);
    assert.equal(rotten.code, 3);
    assert.match(
      rotten.stdout,
      new RegExp(`${OLDER}: DAMAGED[^]*It is the same file in ${NEWER}[^]*${NEWER}: DAMAGED`),
    );
    const target = join(home.path, 'restored');
    const restored = await chatkeep(['restore', OLDER, target, '--json'], env);
    assert.equal(restored.code, 3);
    assert.deepEqual(
      JSON.parse(restored.stdout).problems.map(({ path }: { path: string }) => path),
      [image],
    );
    assert.match(restored.stderr, /1 file of .* could not be restored/);
  });

  it('verifies and restores a snapshot whose snapshot.json is gone', async () => {
    await rm(join(newer, '.chatkeep/snapshot.json'));
    const { code, stdout } = await chatkeep(['verify', 'latest', '--json'], env);
    assert.equal(code, 3);
    const [report] = JSON.parse(stdout).snapshots;
    assert.equal(report.snapshot, NEWER);
    assert.equal(report.checkedFiles, facts.entries.length - 1);
    const target = join(home.path, 'without-metadata');
    const restored = JSON.parse((await chatkeep(['restore', 'latest', target, '--json'], env)).stdout);
    assert.equal(restored.files, facts.entries.length - 1);
  });
});
