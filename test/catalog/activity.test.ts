import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ActivityReader, Catalog } from '../../src/catalog/index.ts';
import { LocalTime } from '../../src/catalog/local-time.ts';
import { catalogDirectory } from '../../src/cataloging.ts';
import { createAccount, nextExport } from '../support/openai/exports/index.ts';
import { WebScene } from '../web/scene.ts';

const { signal } = new AbortController();
const sum = (numbers: readonly number[]) => numbers.reduce((all, n) => all + n, 0);

describe('Activity', () => {
  it('counts what the statistics count, by day, hour and model, of all accounts and of one', async () => {
    await using scene = await WebScene.open();
    const ann = createAccount({ seed: 'ann', conversations: 40 });
    await scene.take(ann, 'G4', '2026-03-02T10:00:00Z');
    await scene.take(nextExport(ann, { seed: 'b', add: 3, delete: 2, days: 60 }), 'G4', '2026-05-02T10:00:00Z');
    await scene.take(createAccount({ seed: 'bob', conversations: 10 }), 'G5', '2026-06-02T10:00:00Z');
    const directory = catalogDirectory(scene.config);
    using catalog = Catalog.open(directory);
    assert.ok(catalog !== undefined);
    const reader = new ActivityReader(directory, signal);
    for (const account of [undefined, 'ann@example.com', 'bob@example.com']) {
      const statistics = catalog.statistics(account);
      const activity = await reader.read({ account, zone: 'UTC' });
      assert.ok(activity !== undefined);
      const byDay = activity.years.flatMap(({ year, days }) =>
        days.map((messages, day) => ({
          day: new Date(Date.UTC(year, 0, 1 + day)).toISOString().slice(0, 10),
          messages,
        })),
      );
      assert.deepEqual(
        byDay.filter(({ messages }) => messages > 0),
        statistics.byDay.map((one) => ({ ...one })),
      );
      const byHour = Array.from({ length: 24 }, (_, hour) =>
        sum(activity.years.flatMap(({ hours }) => hours.filter((_n, index) => index % 24 === hour))),
      );
      assert.deepEqual(byHour, statistics.byHour);
      assert.deepEqual(activity.models, statistics.byModel);
      assert.equal(activity.messages + activity.undated, statistics.messages);
      assert.equal(activity.conversations, statistics.conversations.all);
      const months = activity.years.flatMap((year) => year.months);
      assert.equal(sum(months.map(({ messages }) => messages)), activity.messages);
      assert.equal(sum(months.map(({ spoken }) => spoken)), statistics.conversations.spoken);
      assert.equal(
        sum(months.flatMap(({ byModel }) => Object.values(byModel))),
        sum(statistics.byModel.map(({ messages }) => messages)),
      );
    }
  });

  it('is of the days of a time zone', async () => {
    await using scene = await WebScene.open();
    await scene.take(createAccount({ seed: 'ann', conversations: 30 }), 'G4', '2026-03-02T10:00:00Z');
    const reader = new ActivityReader(catalogDirectory(scene.config), signal);
    const [utc, india] = [await reader.read({ zone: 'UTC' }), await reader.read({ zone: 'Asia/Kolkata' })];
    assert.ok(utc !== undefined && india !== undefined);
    assert.equal(utc.messages, india.messages);
    assert.notDeepEqual(utc.years.at(-1)?.days, india.years.at(-1)?.days);
  });

  it('shows what was added since it was last read, and nothing where there is no catalog', async () => {
    await using scene = await WebScene.open();
    const reader = new ActivityReader(catalogDirectory(scene.config), signal);
    assert.equal(await reader.read({ zone: 'UTC' }), undefined);
    const ann = createAccount({ seed: 'ann', conversations: 3 });
    await scene.take(ann, 'G5', '2026-06-02T10:00:00Z');
    assert.equal((await reader.read({ zone: 'UTC' }))?.conversations, 3);
    await scene.take(nextExport(ann, { seed: 'b', add: 2 }), 'G5', '2026-06-09T10:00:00Z');
    assert.equal((await reader.read({ zone: 'UTC' }))?.conversations, 5);
  });
});

describe('The time on the wall', () => {
  const zones = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/New_York', 'Pacific/Chatham', 'Australia/Lord_Howe'];
  it('is what Intl says, on days when clocks change, too', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2022, 0) / 900_000, max: Date.UTC(2030, 0) / 900_000 }),
        (zone, quarter) => {
          const ms = quarter * 900_000;
          const expected = new Intl.DateTimeFormat('sv-SE', {
            timeZone: zone,
            dateStyle: 'short',
            timeStyle: 'short',
          }).format(ms);
          assert.equal(new Date(new LocalTime(zone).wall(ms)).toISOString().slice(0, 16).replace('T', ' '), expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});
