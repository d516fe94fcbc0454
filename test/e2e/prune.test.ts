import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createAccount, nextExport, writeExport } from '../support/openai/exports/index.ts';
import { chatkeep, type Environment, Service } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';
import { assertWholeSnapshot, latestOf, visibleSnapshots } from '../support/world.ts';

const account = createAccount({ seed: 'prune', email: 'ada@example.test', conversations: 8 });

describe('chatkeep prune', () => {
  let home: Awaited<ReturnType<typeof tempDir>>;
  let env: Environment;
  const days = async () =>
    (await visibleSnapshots(join(home.path, 'backups'))).map((path) => basename(path).slice(0, 10));
  before(async () => {
    home = await tempDir();
    env = { CHATKEEP_BACKUP_DIR: join(home.path, 'backups'), CHATKEEP_STATE_DIR: join(home.path, 'state') };
    const thinned = nextExport(account, { seed: 'less', delete: 1 });
    const exports = [account, account, thinned, thinned, nextExport(thinned, { seed: 'more', add: 1 })];
    const zips: string[] = [];
    for (const [index, model] of exports.entries()) {
      const to = join(home.path, `${index}.zip`);
      await writeExport(model, { generation: 'G4', stamp: new Date(Date.UTC(2026, 2, index + 1)), to });
      zips.push(to);
    }
    assert.equal((await chatkeep(['import', ...zips], env)).code, 0);
    await writeFile(join(home.path, 'backups/holiday.jpg'), 'not ours');
  });
  after(() => home[Symbol.asyncDispose]());

  it('lets nothing go where no rule is set, even when it is told to', async () => {
    const { code, stdout } = await chatkeep(['prune', '--yes'], env);
    assert.equal(code, 0);
    assert.match(stdout, /Nothing is to go, since no rule is set/);
    assert.equal((await days()).length, 5);
  });

  it('shows each snapshot with the reason, mentions what is not ours once, and changes nothing', async () => {
    const { code, stdout } = await chatkeep(['prune', '--keep-last', '1'], env);
    assert.equal(code, 0);
    const shown = stdout.split('\n').slice(1, 6);
    for (const [index, wanted] of [
      /^go +ada@example\.test\/2026-03-01T000000Z +everything in it is in snapshots that stay$/,
      /^keep +ada@example\.test\/2026-03-02T000000Z +holds 1 conversation.* found nowhere else$/,
      /^go /,
      /^keep .* one of the 2 newest$/,
      /^keep .* newest, last$/,
    ].entries())
      assert.match(shown[index] ?? '', wanted);
    assert.match(stdout, /Nothing was deleted\. `chatkeep prune --yes` .* deletes 2 snapshots and frees [\d.]+ \w?B/);
    assert.equal(stdout.match(/holiday\.jpg/g)?.length, 1);
    assert.equal((await days()).length, 5);
  });

  it('refuses to delete while a service has the directory, and shows what would go all the same', async () => {
    await using service = new Service({
      ...env,
      CHATKEEP_DROP_DIR: join(home.path, 'drop'),
      CHATKEEP_LOG_FORMAT: 'json',
    });
    await service.printed('watching');
    const { code, stderr } = await chatkeep(['prune', '--keep-last', '1', '--yes'], env);
    assert.equal(code, 4);
    assert.match(stderr, /Nothing was deleted\.[\s\S]*Stop the service while you prune/);
    assert.equal((await chatkeep(['prune', '--keep-last', '1'], env)).code, 0);
    await service.stop();
    assert.equal((await days()).length, 5);
  });

  it('deletes what is to go when it is told to, by the rules of the configuration', async () => {
    const { code, stdout } = await chatkeep(['prune', '--yes', '--json'], { ...env, CHATKEEP_KEEP_LAST: '1' });
    assert.equal(code, 0);
    const { done, snapshots } = JSON.parse(stdout);
    assert.deepEqual(
      [done, snapshots.map(({ kind }: { kind: string }) => kind)],
      [true, ['go', 'keep', 'go', 'keep', 'keep']],
    );
    assert.deepEqual(await days(), ['2026-03-02', '2026-03-04', '2026-03-05']);
    const left = await visibleSnapshots(join(home.path, 'backups'));
    for (const snapshot of left) await assertWholeSnapshot(snapshot);
    assert.equal(await latestOf(left[0] ?? ''), '2026-03-05T000000Z');
    assert.equal((await chatkeep(['verify'], env)).code, 0);
  });

  it('loses what is unique only when that is insisted on, and says what', async () => {
    const insisting = ['prune', '--keep-last', '1', '--even-if-unique'];
    assert.match((await chatkeep(insisting, env)).stdout, /^go .* insisted on; lost with it: 1 conversation/m);
    assert.equal((await days()).length, 3);
    await chatkeep([...insisting, '--yes'], env);
    assert.deepEqual(await days(), ['2026-03-04', '2026-03-05']);
  });

  it('takes no rule that is not a number, and no account that is not there', async () => {
    for (const rule of ['0', 'all', '1.5']) assert.equal((await chatkeep(['prune', '--keep-last', rule], env)).code, 2);
    assert.equal((await chatkeep(['prune', '--account', 'nobody'], env)).code, 8);
  });
});
