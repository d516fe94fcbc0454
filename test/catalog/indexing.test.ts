import assert from 'node:assert/strict';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { catalogFile, openForWriting } from '../../src/catalog/database.ts';
import { Catalog } from '../../src/catalog/index.ts';
import { takeInventory } from '../../src/chatgpt/index.ts';
import { unpackedExport } from '../chatgpt/unpacked.ts';
import { createAccount, GENERATIONS, nextExport } from '../support/openai/exports/index.ts';
import { CatalogScene, conversation, type Json, message } from './scene.ts';

const many = (count: number, changed: (index: number) => string = () => '') =>
  Array.from({ length: count }, (_, index) =>
    conversation(`c${index}`, [message(`m${index}`, `text ${index} ${changed(index)}`)]),
  );

/** What does not hang on the snapshots. */
function howItIsKept(scene: CatalogScene): unknown {
  using database = new DatabaseSync(catalogFile(scene.catalog), { readOnly: true });
  return [
    database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name`).all(),
    database.prepare(`SELECT coalesce((SELECT v FROM text_index_config WHERE k = 'automerge'), 4) AS parts`).get(),
  ];
}

/** Everything in the catalog that does not hang on the order in which it got there. */
function contentOf(scene: CatalogScene): unknown {
  using database = new DatabaseSync(catalogFile(scene.catalog), { readOnly: true });
  const all = (sql: string) => database.prepare(sql).all();
  return {
    conversations: all(
      `SELECT c.account, c.provider_id, c.first_seen_at, c.last_seen_at, h.digest FROM conversation c
       JOIN version h ON h.id = c.head ORDER BY 1, 2`,
    ),
    versions: all('SELECT digest, title, messages, unread_messages FROM version ORDER BY digest'),
    messages: all(
      `SELECT c.account, c.provider_id, m.key, m.content, m.role, v.digest, m.place FROM message m
       JOIN conversation c ON c.id = m.conversation JOIN version v ON v.id = m.version ORDER BY 1, 2, 3, 4`,
    ),
    members: all(
      `SELECT c.sha256, m.place, v.digest, m.offset, m.bytes FROM member m JOIN content c ON c.id = m.content
       JOIN version v ON v.id = m.version ORDER BY 1, 2`,
    ),
    snapshots: all('SELECT account, name, whole, schema, found, unread, reports FROM snapshot ORDER BY 1, 2'),
    indexed: all('SELECT count(*) AS n FROM text_index')[0]?.n,
  };
}

describe('The catalog', () => {
  it('holds every conversation and message of every generation', async () => {
    const account = createAccount({ seed: 'catalog', conversations: 30 });
    for (const generation of [...GENERATIONS, 'portal'] as const) {
      await using unpacked = await unpackedExport(account, generation);
      await using scene = await CatalogScene.make();
      scene.adopt('2026-03-01', unpacked.path);
      const report = await scene.index();
      const { counts } = await takeInventory(unpacked.path);
      assert.deepEqual(
        [report.conversations.indexed, report.messages.indexed],
        [counts.conversations, counts.messages],
      );
      using catalog = scene.open();
      assert.equal(catalog.count({}), counts.conversations);
    }
  });

  it('reads nothing again that it has', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [many(50)]);
    await scene.index();
    assert.deepEqual((await scene.index()).snapshots, 0);
    scene.snapshot('2026-02-01', [many(50)]);
    assert.equal((await scene.index()).bytes, 0, 'the file is the same');
    scene.snapshot('2026-03-01', [many(52, (index) => (index === 7 ? 'changed' : ''))]);
    const { conversations } = await scene.index();
    assert.deepEqual(conversations, { found: 52, known: 49, indexed: 3, unread: 0 });
  });

  it('knows a conversation again in other files and in another order', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [many(40)]);
    await scene.index();
    const turned = many(40).reverse();
    scene.snapshot('2026-02-01', [turned.slice(0, 11), turned.slice(11)]);
    assert.deepEqual((await scene.index()).conversations, { found: 40, known: 40, indexed: 0, unread: 0 });
  });

  it('is the same, in whatever order the snapshots came', async () => {
    const days = ['2026-01-01', '2026-02-01', '2026-03-01'];
    const state = (day: number) => [many(6, (index) => (index < day ? `day ${day}` : '')).slice(0, 6 - day)];
    const made: unknown[] = [];
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      await using scene = await CatalogScene.make();
      for (const day of order) {
        scene.snapshot(days[day] ?? '', state(day));
        await scene.index();
      }
      made.push(contentOf(scene));
    }
    assert.deepEqual(made[1], made[0]);
    assert.deepEqual(made[2], made[0]);
  });

  it('goes on where it was ended', async () => {
    await using scene = await CatalogScene.make();
    await using whole = await CatalogScene.make();
    const words = 'word '.repeat(100_000);
    const list = Array.from({ length: 90 }, (_, index) =>
      conversation(`c${index}`, [message(`m${index}`, `${index} ${words}`)]),
    );
    for (const one of [scene, whole]) one.snapshot('2026-01-01', [list.slice(0, 60), list.slice(60)]);
    const ended = new AbortController();
    await assert.rejects(
      scene.index({ signal: ended.signal, onProgress: () => ended.abort(new Error('ended')) }),
      /ended/,
    );
    const report = await scene.index();
    assert.ok(report.conversations.known > 0 && report.conversations.indexed > 0);
    assert.equal(report.conversations.known + report.conversations.indexed, 90);
    await whole.index();
    assert.deepEqual(contentOf(scene), contentOf(whole));
  });

  it('goes on where it was ended after its last snapshot', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [many(3)]);
    await scene.index();
    const whole = howItIsKept(scene);
    using database = openForWriting(scene.catalog);
    database.exec(`DROP INDEX message_conversation; INSERT INTO text_index (text_index, rank) VALUES ('automerge', 0)`);
    assert.notDeepEqual(howItIsKept(scene), whole);
    await scene.index();
    assert.deepEqual(howItIsKept(scene), whole);
  });

  it('writes now and then where all conversations are new states, and all their messages are known', async () => {
    await using scene = await CatalogScene.make();
    const words = 'word '.repeat(100_000);
    const states = (more: Json) =>
      Array.from({ length: 100 }, (_, n) => conversation(`c${n}`, [message(`m${n}`, `${n} ${words}`)], more));
    scene.snapshot('2026-01-01', [states({})]);
    await scene.index({ threadFromBytes: 0 });
    scene.snapshot('2026-02-01', [states({ new_field: 1 })]);
    let told = 0;
    const { conversations } = await scene.index({ threadFromBytes: 0, onProgress: () => (told += 1) });
    assert.equal(conversations.indexed, 100);
    assert.ok(told > 1, 'not only at the end of the file');
  });

  it('leaves no log behind, even while somebody reads', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [many(3)]);
    await scene.index();
    using _reader = scene.open();
    scene.snapshot('2026-02-01', [many(4)]);
    await scene.index();
    assert.equal((await stat(`${catalogFile(scene.catalog)}-wal`)).size, 0);
  });

  it('forgets what is in no snapshot any more, and is then as if it had never been there', async () => {
    await using scene = await CatalogScene.make();
    await using without = await CatalogScene.make();
    const states: Readonly<Record<string, Json[]>> = {
      '2026-01-01': [
        conversation('a', [message('a1', 'one')]),
        conversation('b', [message('b1', 'two')]),
        conversation('d', [message('d1', 'x')]),
      ],
      '2026-02-01': [
        conversation('a', [message('a1', 'one'), message('a2', 'later')]),
        conversation('c', [message('c1', 'brief')]),
        conversation('d', [message('d1', 'x')]),
      ],
      '2026-03-01': [conversation('a', [message('a1', 'one')]), conversation('d', [message('d1', 'x')])],
    };
    for (const [day, list] of Object.entries(states)) scene.snapshot(day, [list]);
    await scene.index();
    assert.equal((await scene.find('later')).length, 1);
    scene.remove('2026-02-01');
    await scene.index();
    assert.deepEqual(await scene.find('later'), []);
    assert.deepEqual(await scene.find('brief'), []);
    assert.deepEqual(await scene.find('two', { deleted: true }), ['two']);
    for (const day of ['2026-01-01', '2026-03-01']) without.snapshot(day, [states[day] ?? []]);
    await without.index();
    assert.deepEqual(contentOf(scene), contentOf(without));
  });

  it('follows snapshots that were moved', async () => {
    await using scene = await CatalogScene.make();
    const { directory } = scene.snapshot('2026-01-01', [many(3)]);
    await scene.index();
    await rename(directory, `${directory}-moved`);
    scene.adopt('2026-01-01', `${directory}-moved`);
    assert.equal((await scene.index()).bytes, 0);
    assert.equal((await scene.find('text'))[0]?.startsWith('text'), true);
  });

  it('passes over a snapshot that is gone by the time it is read', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [many(3)]);
    scene.adopt('2026-02-01', join(scene.catalog, 'nowhere'));
    assert.equal((await scene.index()).snapshots, 1);
  });

  it('of another version, or that is no database, is made anew', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [many(3)]);
    await scene.index();
    {
      using database = new DatabaseSync(catalogFile(scene.catalog));
      database.exec('PRAGMA user_version = 99');
    }
    assert.equal(Catalog.open(scene.catalog), undefined);
    assert.equal((await scene.index()).conversations.indexed, 3);
    await writeFile(catalogFile(scene.catalog), 'this is no database, whatever its name says'.repeat(500));
    assert.equal(Catalog.open(scene.catalog), undefined);
    assert.equal((await scene.index()).conversations.indexed, 3);
    assert.equal((await scene.find('text')).length, 3);
  });

  it('changes nothing in a snapshot', async () => {
    await using scene = await CatalogScene.make();
    const { directory } = scene.snapshot('2026-01-01', [many(3)]);
    const before = await readFile(join(directory, 'conversations-000.json'));
    await scene.index();
    assert.deepEqual(await readFile(join(directory, 'conversations-000.json')), before);
  });

  it('follows an account through years of exports', async () => {
    let account = createAccount({ seed: 'years', conversations: 25 });
    await using scene = await CatalogScene.make();
    const exports = [];
    for (const [index, generation] of (['G3', 'G4', 'G5', 'G5'] as const).entries()) {
      const unpacked = await unpackedExport(account, generation);
      exports.push(unpacked);
      scene.adopt(`2026-0${index + 1}-01`, unpacked.path);
      account = nextExport(account, { seed: `next ${index}`, add: 2, change: 2, delete: 1, days: 30 });
    }
    await scene.index();
    using catalog = scene.open();
    assert.deepEqual(
      [catalog.count({}), catalog.count({ deleted: true }), catalog.count({ deleted: false })],
      [31, 3, 28],
    );
    for (const unpacked of exports) await unpacked[Symbol.asyncDispose]();
  });
});

describe('An export of any form', () => {
  it('is in the catalog or reported: what was found is what is there and what was not understood', async () => {
    const element = fc.oneof(
      fc.jsonValue(),
      fc.record({
        id: fc.oneof(fc.constantFrom('a', 'b'), fc.jsonValue()),
        mapping: fc.oneof(
          fc.jsonValue(),
          fc.dictionary(
            fc.string(),
            fc.oneof(
              fc.jsonValue(),
              fc.record({
                parent: fc.jsonValue(),
                message: fc.oneof(fc.jsonValue(), fc.constant(message('m', 'words'))),
              }),
            ),
          ),
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(element), async (list) => {
        await using scene = await CatalogScene.make();
        scene.snapshot('2026-01-01', [JSON.stringify(list)]);
        const { conversations, messages } = await scene.index();
        assert.equal(conversations.found, list.length);
        assert.equal(conversations.known + conversations.indexed + conversations.unread, list.length);
        assert.equal(messages.indexed + messages.unread, messages.found);
      }),
      { numRuns: 60 },
    );
  });

  it('is never silently empty', async () => {
    for (const [content, found, unread] of [
      ['', 0, 0],
      ['{"items":[]}', 0, 0],
      ['[1,null,{"id":"a"}]', 3, 3],
      ['[{"id":"a","mapping":{}},nope]', 2, 1],
    ] as const) {
      await using scene = await CatalogScene.make();
      scene.snapshot('2026-01-01', [content]);
      await scene.index();
      using catalog = scene.open();
      const [snapshot] = catalog.snapshots();
      assert.deepEqual([snapshot?.found, snapshot?.unread], [found, unread], content);
      assert.ok(Object.keys(snapshot?.reports ?? {}).length > 0, content);
    }
  });

  it('of 100,000 nodes, of 50 MB in one message, or with bytes that are no text is searched like any other', async () => {
    await using scene = await CatalogScene.make();
    const nodes = Array.from({ length: 100_000 }, (_, index) =>
      message(`n${index}`, index === 77_777 ? 'needle' : 'hay', { at: '2025-01-01T00:00:00Z' }),
    );
    const huge = message('m1', `${'é'.repeat(25_000_000)} haystack`);
    const invalid = Buffer.from(JSON.stringify([conversation('c3', [message('m2', 'b?oken text')])]));
    invalid[invalid.indexOf('b?oken') + 1] = 0xff;
    scene.snapshot('2026-01-01', [[conversation('c1', nodes), conversation('c2', [huge])], invalid]);
    const report = await scene.index();
    assert.deepEqual([report.conversations.indexed, report.messages.indexed], [3, 100_002]);
    assert.deepEqual(await scene.find('needle'), ['needle']);
    assert.equal((await scene.find('haystack')).length, 1);
    assert.deepEqual(await scene.find('oken'), ['b\ufffdoken text']);
  });
});
