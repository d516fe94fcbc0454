import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { catalogFile } from '../../src/catalog/database.ts';
import { unpackedExport } from '../chatgpt/unpacked.ts';
import { createAccount, GENERATIONS, nextExport } from '../support/openai/exports/index.ts';
import { CatalogScene, conversation, message } from './scene.ts';

const IN_A_THREAD = { threadFromBytes: 0 };
const HERE = { threadFromBytes: Number.POSITIVE_INFINITY };

/** Everything that is in the tables of a catalog. */
function contentOf(scene: CatalogScene): unknown {
  using database = new DatabaseSync(catalogFile(scene.catalog), { readOnly: true });
  const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all();
  return tables.map(({ name }) => {
    const rows = database.prepare(`SELECT * FROM "${String(name)}"`);
    rows.setReadBigInts(true);
    return [name, rows.all()];
  });
}

describe('A thread that reads for the catalog', () => {
  it('gives what reading without it gives, byte for byte, for two exports of every generation', async () => {
    const account = createAccount({ seed: 'reading-thread', conversations: 12 });
    const later = nextExport(account, { seed: 'later', change: 2, add: 2 });
    for (const generation of GENERATIONS) {
      await using first = await unpackedExport(account, generation);
      await using second = await unpackedExport(later, generation);
      const contents = [];
      for (const options of [HERE, IN_A_THREAD]) {
        await using scene = await CatalogScene.make();
        scene.adopt('2026-01-01', first.path);
        scene.adopt('2026-02-01', second.path);
        await scene.index(options);
        contents.push(contentOf(scene));
      }
      assert.deepEqual(contents[1], contents[0], generation);
    }
  });

  it('knows a conversation again that it has met a moment before, and that is not written yet', async () => {
    await using scene = await CatalogScene.make();
    const same = conversation('a', [message('a1', 'one')]);
    scene.snapshot('2026-01-01', [[same, conversation('b', [message('b1', 'two')])], [same]]);
    const { conversations } = await scene.index(IN_A_THREAD);
    assert.deepEqual(conversations, { found: 3, known: 1, indexed: 2, unread: 0 });
  });

  it('goes on with a conversation that has changed, and takes the others for known', async () => {
    await using scene = await CatalogScene.make();
    const others = ['b', 'c', 'd'].map((id) => conversation(id, [message(`${id}1`, 'more')]));
    scene.snapshot('2026-01-01', [[conversation('a', [message('a1', 'one')]), ...others]]);
    await scene.index(IN_A_THREAD);
    scene.snapshot('2026-02-01', [[conversation('a', [message('a1', 'one'), message('a2', 'two')]), ...others]]);
    const { conversations } = await scene.index(IN_A_THREAD);
    assert.deepEqual(conversations, { found: 4, known: 3, indexed: 1, unread: 0 });
    assert.deepEqual(await scene.find('two'), ['two']);
  });

  it('ends where it is told to, and the next one goes on', async () => {
    await using scene = await CatalogScene.make();
    const long = 'word '.repeat(100_000);
    const list = Array.from({ length: 80 }, (_, n) => conversation(`c${n}`, [message(`m${n}`, `${long} number${n}`)]));
    scene.snapshot('2026-01-01', [list]);
    const ended = new AbortController();
    const end = () => ended.abort(new Error('ended'));
    await assert.rejects(scene.index({ ...IN_A_THREAD, signal: ended.signal, onProgress: end }), /ended/);
    const { conversations } = await scene.index(IN_A_THREAD);
    assert.equal(conversations.found, 80);
    assert.ok(conversations.known > 0, 'what was written is not read again');
    assert.deepEqual((await scene.find('number79')).length, 1);
  });
});
