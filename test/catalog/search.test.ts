import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CatalogScene, conversation, full, message, NOW } from './scene.ts';

describe('A search', () => {
  it('finds messages in all snapshots, and shows the words with what was found marked', async () => {
    await using scene = await CatalogScene.make();
    const long = `${'before '.repeat(100)}the Café of Łódź ${'after '.repeat(100)}`;
    scene.snapshot('2026-01-01', [[conversation('c1', [message('m1', long), message('m2', 'a bar')])]]);
    await scene.index();
    using catalog = scene.open();
    const { hits, found, more } = await catalog.search('cafe', { now: NOW });
    assert.deepEqual([hits.length, found, more], [1, 1, false]);
    const [hit] = hits;
    assert.equal(hit?.message, 'm1');
    const { text = '', marks = [] } = hit?.snippet ?? {};
    assert.ok(text.startsWith('…') && text.endsWith('…') && text.length < 300);
    assert.deepEqual(
      marks.map(([from, to]) => text.slice(from, to)),
      ['Café'],
    );
  });

  it('lets only through what its filters say', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [
      [
        conversation('c1', [
          message('m1', 'apple one', { at: '2025-01-01T10:00:00Z' }),
          message('m2', 'apple two', { at: '2025-03-31T23:59:30Z', role: 'assistant', model: 'gpt-5' }),
        ]),
        conversation('c2', [message('m3', 'apple three', { at: '2025-04-01T00:00:00Z' })], { title: 'Fruit salad' }),
      ],
    ]);
    scene.snapshot('2026-01-01', [[conversation('c9', [message('m9', 'apple nine')])]], 'bob');
    await scene.index();
    const find = async (filter: Parameters<CatalogScene['find']>[1]) => (await scene.find('apple', filter)).sort();
    assert.deepEqual(await find({ role: 'assistant' }), ['apple two']);
    assert.deepEqual(await find({ model: 'gpt-5' }), ['apple two']);
    assert.deepEqual(await find({ model: 'gpt-6' }), []);
    assert.deepEqual(await find({ from: Date.parse('2025-04-01') }), ['apple three']);
    assert.deepEqual(await find({ from: Date.parse('2025-02-01'), to: Date.parse('2025-04-01') - 1 }), ['apple two']);
    assert.deepEqual(await find({ title: 'salad' }), ['apple three']);
    assert.deepEqual(await find({ title: '"' }), []);
    assert.deepEqual(await find({ account: 'bob' }), ['apple nine']);
    assert.equal((await find({ deleted: false })).length, 4);
    assert.deepEqual(await find({ deleted: true }), []);
  });

  it('gives a message that was copied into several conversations once, and names them', async () => {
    await using scene = await CatalogScene.make();
    const shared = message('m1', 'the shared question');
    scene.snapshot('2026-01-01', [
      [conversation('c1', [shared]), conversation('c2', [shared, message('m2', 'more')]), conversation('c3', [shared])],
    ]);
    await scene.index();
    using catalog = scene.open();
    const { hits, found } = await catalog.search('shared', { now: NOW });
    assert.deepEqual([hits.length, found], [1, 1]);
    const ids = [hits[0]?.conversation.id, ...(hits[0]?.alsoIn ?? []).map(({ id }) => id)];
    assert.deepEqual(ids.sort(), ['c1', 'c2', 'c3']);
  });

  it('puts what speaks of it most first, and of the same the newer', async () => {
    await using scene = await CatalogScene.make();
    const texts = [
      message('m1', 'zebra and a great many other things that have nothing to do with it', {
        at: '2026-06-01T00:00:00Z',
      }),
      message('m2', 'zebra', { at: '2024-01-01T00:00:00Z' }),
      message('m3', 'zebra!', { at: '2026-06-01T00:00:00Z' }),
      ...Array.from({ length: 50 }, (_, index) => message(`x${index}`, `something else ${index}`)),
    ];
    scene.snapshot('2026-06-15', [[conversation('c1', texts)]]);
    await scene.index();
    const found = await scene.find('zebra');
    assert.deepEqual(found.slice(0, 2), ['zebra!', 'zebra']);
    using catalog = scene.open();
    const newest = await catalog.search('zebra', { order: 'newest', now: NOW });
    assert.equal(newest.hits.at(-1)?.message, 'm2');
  });

  it('finds conversations by their titles, those they once had too', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [[conversation('c1', [message('m1', 'a')], { title: 'Holidays in Crete' })]]);
    scene.snapshot('2026-02-01', [[conversation('c1', [message('m1', 'a')], { title: 'Greece' })]]);
    await scene.index();
    using catalog = scene.open();
    for (const typed of ['crete', 'greece']) {
      const { titles } = await catalog.search(typed, { now: NOW });
      assert.deepEqual(
        titles.map(({ title }) => title),
        ['Greece'],
      );
    }
  });

  it('reads texts where they stand, whatever their ids, and finds them where that is not noted', async () => {
    await using scene = await CatalogScene.make();
    const ids = ['plain', 'with "quotes"', 'ünïcode', '0', '__proto__x', 'a\\b'];
    const all = ids.map((id, index) => message(id, `word${index} ${'long '.repeat(index * 9000)}`));
    scene.snapshot('2026-01-01', [JSON.stringify([conversation('c1', all)]).replaceAll('ü', '\\u00fc')]);
    await scene.index();
    using catalog = scene.open();
    for (const [index, id] of ids.entries()) {
      const { hits } = await catalog.search(`word${index}`, { now: NOW });
      assert.deepEqual([hits[0]?.message, hits[0]?.snippet?.text.startsWith(`word${index}`)], [id, true]);
    }
  });

  it('still finds what no file holds any more, and says that it cannot be read', async () => {
    await using scene = await CatalogScene.make();
    const { directory } = scene.snapshot('2026-01-01', [[conversation('c1', [message('m1', 'lost words')])]]);
    await scene.index();
    await rm(join(directory, 'conversations-000.json'));
    using catalog = scene.open();
    const { hits } = await catalog.search('lost', { now: NOW });
    assert.deepEqual([hits.length, hits[0]?.snippet, hits[0]?.message], [1, undefined, undefined]);
    assert.equal(await catalog.read(hits[0]?.version ?? 0, 'c1'), undefined);
  });

  it('of a word that is everywhere looks at the newest thousand', async () => {
    await using scene = await CatalogScene.make();
    const many = Array.from({ length: 1500 }, (_, index) =>
      message(`m${index}`, `common ${index}`, { at: new Date(Date.UTC(2025, 0, 1) + index * 60_000).toISOString() }),
    );
    scene.snapshot('2026-01-01', [[conversation('c1', many)]]);
    await scene.index();
    using catalog = scene.open();
    const { hits, found, more } = await catalog.search('common', { now: NOW, limit: 2 });
    assert.deepEqual([found, more], [1000, true]);
    assert.deepEqual(
      hits.map(({ message: id }) => id),
      ['m1499', 'm1498'],
    );
    const page = await catalog.search('common', { now: NOW, limit: 2, offset: 2 });
    assert.equal(page.hits[0]?.message, 'm1497');
  });
});

describe('A conversation in the catalog', () => {
  it('that was deleted stays, is marked, and tells when it was last seen', async () => {
    await using scene = await CatalogScene.make();
    const kept = conversation('c1', [message('m1', 'kept')]);
    scene.snapshot('2026-01-01', [[kept, conversation('c2', [message('m2', 'deleted')])]]);
    scene.snapshot('2026-02-01', [[kept]]);
    await scene.index();
    using catalog = scene.open();
    const states = catalog
      .conversations({}, { limit: 10 })
      .map(({ id, presence, lastSeen }) => [id, presence, lastSeen]);
    assert.deepEqual(states.sort(), [
      ['c1', 'present', '2026-02-01'],
      ['c2', 'gone', '2026-01-01'],
    ]);
    assert.deepEqual(await scene.find('deleted', { deleted: true }), ['deleted']);
    assert.deepEqual(await scene.find('kept', { deleted: true }), []);
  });

  it('may be among what could not be read of the newest snapshot, and that is told', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [[conversation('c1', [message('m1', 'here')])]]);
    scene.snapshot('2026-02-01', ['[{"id":"c1","mapping":']);
    await scene.index();
    using catalog = scene.open();
    const [one] = catalog.conversations({}, { limit: 1 });
    assert.deepEqual([one?.presence, one?.uncertain], ['gone', true]);
  });

  it('whose kinds of messages the newest format has no room for was not deleted', async () => {
    await using scene = await CatalogScene.make();
    const instructions = message('s1', 'be brief', { role: 'system' });
    const both = conversation('c1', [instructions, message('m1', 'hello')]);
    scene.snapshot('2026-01-01', [
      [full(both), full(conversation('c2', [instructions])), full(conversation('c3', [message('m3', 'bye')]))],
    ]);
    scene.snapshot('2026-06-01', [[conversation('c1', [message('m1', 'hello')])]]);
    await scene.index();
    using catalog = scene.open();
    const states = catalog.conversations({}, { limit: 10 }).map(({ id, presence }) => [id, presence]);
    assert.deepEqual(states.sort(), [
      ['c1', 'present'],
      ['c2', 'no-longer-carried'],
      ['c3', 'gone'],
    ]);
    assert.equal((await scene.find('brief')).length, 1);
  });

  it('can be read in every version it has had', async () => {
    await using scene = await CatalogScene.make();
    const [first, second] = [message('m1', 'first'), message('m2', 'second')];
    scene.snapshot('2026-01-01', [[conversation('c1', [first])]]);
    scene.snapshot('2026-02-01', [[conversation('c1', [first])]]);
    scene.snapshot('2026-03-01', [[conversation('c1', [first, second])]]);
    await scene.index();
    using catalog = scene.open();
    const [one] = catalog.conversations({}, { limit: 1 });
    const versions = catalog.versions(one?.number ?? 0);
    assert.deepEqual(
      versions.map(({ snapshots, messages }) => [snapshots, messages]),
      [
        [['2026-01-01', '2026-02-01'], 1],
        [['2026-03-01'], 2],
      ],
    );
    for (const { number, messages } of versions)
      assert.equal((await catalog.read(number, 'c1'))?.readable.messages.length, messages);
  });

  it('is found by what was once in it, and that is told', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [[conversation('c1', [message('m1', 'an unwise remark'), message('m2', 'fine')])]]);
    scene.snapshot('2026-02-01', [[conversation('c1', [message('m2', 'fine')])]]);
    await scene.index();
    using catalog = scene.open();
    const [hit] = (await catalog.search('unwise', { now: NOW })).hits;
    assert.deepEqual([hit?.earlier, hit?.snapshot], [true, '2026-01-01']);
    const [other] = (await catalog.search('fine', { now: NOW })).hits;
    assert.deepEqual([other?.earlier, other?.snapshot], [false, '2026-02-01']);
  });

  it('is known by its id, or the beginning of it', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [
      [conversation('abc', [message('m1', 'a')]), conversation('abd_%', [message('m2', 'b')])],
    ]);
    await scene.index();
    using catalog = scene.open();
    const ids = (id: string) => catalog.byId(id, 10).map((one) => one.id);
    assert.deepEqual(
      [ids('abc'), ids('ab'), ids('abd'), ids('%'), ids('')],
      [['abc'], ['abc', 'abd_%'], ['abd_%'], [], ['abc', 'abd_%']],
    );
  });

  it('is counted once over all snapshots, its messages too', async () => {
    await using scene = await CatalogScene.make();
    const messages = [
      message('m1', 'a', { at: '2025-01-01T10:10:00Z' }),
      message('m2', 'b', { at: '2025-01-01T10:20:00Z', role: 'assistant', model: 'gpt-5' }),
      message('m3', 'c', { at: '2025-01-02T23:00:00Z' }),
      message('m4', 'no time'),
    ];
    scene.snapshot('2026-01-01', [[conversation('c1', messages.slice(0, 2)), conversation('c2', messages.slice(2))]]);
    scene.snapshot('2026-02-01', [[conversation('c1', messages.slice(0, 2))]]);
    await scene.index();
    using catalog = scene.open();
    const { conversations, messages: all, byRole, byModel, byDay, byHour, accounts, snapshots } = catalog.statistics();
    assert.deepEqual([accounts, snapshots, all], [['ada'], 2, 4]);
    assert.deepEqual(conversations, { all: 2, present: 1, gone: 1, spoken: 0, versions: 2 });
    assert.deepEqual([byRole, byModel], [{ user: 3, assistant: 1 }, [{ model: 'gpt-5', messages: 1 }]]);
    assert.deepEqual(byDay, [
      { day: '2025-01-01', messages: 2 },
      { day: '2025-01-02', messages: 1 },
    ]);
    assert.deepEqual([byHour.length, byHour[10], byHour[23]], [24, 2, 1]);
    assert.equal(catalog.statistics('bob').messages, 0);
  });
});
