import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createAccount, nextExport, writeExport } from '../support/openai/exports/index.ts';
import { chatkeep, type Environment } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';

const first = createAccount({ seed: 'reading', email: 'ada@example.test', conversations: 14 });
const second = nextExport(first, { seed: 'more', add: 1, change: 2, delete: 1, days: 90 });
const gone = first.conversations.find(({ id }) => !second.conversations.some((one) => one.id === id))?.id ?? '';

describe('chatkeep search, show, diff and stats', () => {
  let home: Awaited<ReturnType<typeof tempDir>>;
  let env: Environment;
  before(async () => {
    home = await tempDir();
    env = { CHATKEEP_BACKUP_DIR: join(home.path, 'backups'), CHATKEEP_STATE_DIR: join(home.path, 'state') };
    const [older, newer] = [join(home.path, 'older.zip'), join(home.path, 'newer.zip')];
    await writeExport(first, { generation: 'G4', stamp: new Date('2026-03-01T00:00:00Z'), to: older });
    await writeExport(second, { generation: 'G5', stamp: new Date('2026-06-01T00:00:00Z'), to: newer });
    await chatkeep(['import', older, newer], env);
  });
  after(() => home[Symbol.asyncDispose]());

  it('make the search index by themselves and find what was deleted since', async () => {
    const { code, stdout } = await chatkeep(['search', 'the', '--deleted', '--json'], env);
    assert.equal(code, 0);
    const { hits } = JSON.parse(stdout);
    for (const { conversation } of hits)
      assert.deepEqual(
        [conversation.id, conversation.presence, conversation.lastSeen],
        [gone, 'gone', '2026-03-01T000000Z'],
      );
    const text = await chatkeep(['show', gone], env);
    assert.match(text.stdout, /Deleted in ChatGPT; it was last in the export of 2026-03-01T000000Z\./);
  });

  it('print a conversation as it is and as it was', async () => {
    const id = first.conversations.find((one) => second.conversations.some((other) => other.id === one.id))?.id ?? '';
    const now = JSON.parse((await chatkeep(['show', id, '--json'], env)).stdout);
    const then = JSON.parse((await chatkeep(['show', id, '--json', '--version', '1'], env)).stdout);
    assert.deepEqual([now.version, then.version, now.versions.length], [2, 1, 2]);
    assert.ok(now.messages.length > 0 && then.messages.length > 0);
    const { stdout } = await chatkeep(['show', id, '--version', '2026-03-01T000000Z'], env);
    assert.match(stdout, /Version 1 of 1 \(2026-03-01T000000Z\), 2 \(2026-06-01T000000Z\)\./);
    assert.match(stdout, /── You · .* ──/);
  });

  it('say what is not there, and what can be done', async () => {
    const none = await chatkeep(['show', 'nothing'], env);
    assert.deepEqual([none.code, /There is no conversation "nothing"/.test(none.stderr)], [8, true]);
    const version = await chatkeep(['show', gone, '--version', '9'], env);
    assert.deepEqual([version.code, /Its versions are 1 \(/.test(version.stderr)], [8, true]);
    assert.match((await chatkeep(['search', 'qqqqqq'], env)).stdout, /Nothing was found/);
    for (const typed of ['"', '( ^ )', '']) {
      const { code, stdout } = await chatkeep(['search', typed], env);
      assert.deepEqual(
        [code, /^There is no word in this to search for: .*\nNothing was found/.test(stdout)],
        [0, true],
      );
    }
    const long = await chatkeep(['search', 'x'.repeat(10_000)], env);
    assert.deepEqual([long.code, /more than can be searched for at once/.test(long.stdout)], [0, true]);
    for (const wrong of [
      ['--role', 'robot'],
      ['--from', '2026-02-30'],
      ['--limit', '0'],
    ])
      assert.equal((await chatkeep(['search', 'x', ...wrong], env)).code, 2, wrong.join(' '));
    for (const typed of ['"', '-', 'NEAR(', '*'])
      assert.equal((await chatkeep(['search', '--', typed], env)).code, 0, typed);
  });

  it('compare two snapshots, and tell a change of the format from deletions', async () => {
    const { code, stdout } = await chatkeep(['diff'], env);
    assert.equal(code, 0);
    assert.match(stdout, /The format of the exports changed \(G4 to G5\)/);
    assert.match(stdout, /1 conversation added:\n {2}\+ /);
    assert.match(stdout, /1 conversation gone:\n {2}- /);
    const { conversations } = JSON.parse((await chatkeep(['diff', '2026-03', '2026-06', '--json'], env)).stdout);
    assert.deepEqual(
      conversations.gone.map(({ id }: { id: string }) => id),
      [gone],
    );
    assert.equal((await chatkeep(['diff', '2026-06'], env)).code, 8, 'there is no newer one');
  });

  it('count what was kept', async () => {
    const { conversations, snapshots } = JSON.parse((await chatkeep(['stats', '--json'], env)).stdout);
    assert.deepEqual([conversations.all, conversations.present, conversations.gone, snapshots], [15, 14, 1, 2]);
    assert.match((await chatkeep(['stats'], env)).stdout, /15 conversations: 14 in the newest export, 1 no longer/);
  });

  it('make the index anew when told to', async () => {
    const { code, stdout } = await chatkeep(['catalog', 'rebuild'], env);
    assert.equal(code, 0);
    assert.match(stdout, /2 snapshots indexed: 28 conversations/);
    assert.match((await chatkeep(['catalog', 'update'], env)).stdout, /up to date/);
  });
});
