import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compareInventories, takeInventory } from '../src/chatgpt/index.ts';
import { compareSnapshots } from '../src/comparing.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { listSnapshots } from '../src/snapshot/index.ts';
import { createAccount, nextExport } from './support/openai/exports/index.ts';
import { WebScene } from './web/scene.ts';

const { signal } = new AbortController();
/** What is undefined is not there. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('Two snapshots that are compared in a process of their own', () => {
  it('give what compareInventories gives, also where what was kept of them is damaged', async () => {
    await using scene = await WebScene.open();
    const account = createAccount({ seed: 'apart', conversations: 20 });
    await scene.take(account, 'G4', '2026-04-01T10:00:00Z');
    await scene.take(nextExport(account, { seed: 'b', add: 2, change: 3, delete: 4 }), 'G5', '2026-06-01T10:00:00Z');
    const { stateDir, backupDir } = scene.config;
    const [older, newer] = (await listSnapshots(backupDir)).snapshots;
    assert.ok(older !== undefined && newer !== undefined);
    const expected = compareInventories(await takeInventory(older.path), await takeInventory(newer.path));
    const inventories = join(stateDir, 'inventories');
    for (const damage of [undefined, '{"inventory":1,', 'nonsense']) {
      if (damage !== undefined)
        for (const name of await readdir(inventories))
          if (name.endsWith('.jsonl')) await writeFile(join(inventories, name), damage);
      const compared = await compareSnapshots(older, newer, { stateDir, logger: silentLogger, signal });
      assert.deepEqual(compared?.messages, expected.messages);
      assert.deepEqual(compared?.formatChange, expected.formatChange);
      for (const group of ['added', 'changed', 'gone', 'noLongerCarried'] as const) {
        const all = expected.conversations[group];
        assert.equal(compared?.conversations[group].count, all.length);
        assert.deepEqual(plain(compared?.conversations[group].listed), plain(all));
      }
    }
  });
});
