import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { updateCatalog } from '../../src/catalog/index.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { lockDirectory } from '../../src/lib/lock.ts';
import { CatalogScene, conversation, message } from './scene.ts';

const signal = new AbortController().signal;

describe('The process that brings the catalog up to date', () => {
  it('indexes what is new, tells how far it is, and can make all anew', async () => {
    await using scene = await CatalogScene.make();
    scene.snapshot('2026-01-01', [[conversation('c1', [message('m1', 'hello there')])]]);
    const told: number[] = [];
    const onProgress = (done: number, total: number) => told.push(done / total);
    const report = await updateCatalog(scene.catalog, scene.sources, { signal, onProgress });
    assert.deepEqual([report.snapshots, report.messages.indexed, told], [1, 1, [1]]);
    assert.equal((await updateCatalog(scene.catalog, scene.sources, { signal })).snapshots, 0);
    assert.equal((await updateCatalog(scene.catalog, scene.sources, { signal, rebuild: true })).messages.indexed, 1);
    assert.deepEqual(await scene.find('hello'), ['hello there']);
  });

  it('is the only one at a time', async () => {
    await using scene = await CatalogScene.make();
    using _lock = await lockDirectory(scene.catalog, 'catalog');
    await assert.rejects(
      updateCatalog(scene.catalog, [], { signal }),
      (error) => error instanceof ChatkeepError && error.class === 'in-use',
    );
  });

  it('ends with whoever waits for it, and the next one goes on', async () => {
    await using scene = await CatalogScene.make();
    const words = 'word '.repeat(100_000);
    const lists = Array.from({ length: 8 }, (_, index) =>
      Array.from({ length: 10 }, (_, n) =>
        conversation(`c${index}-${n}`, [message(`m${index}-${n}`, `n${index} ${n} ${words}`)]),
      ),
    );
    scene.snapshot('2026-01-01', lists);
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('enough'));
    await assert.rejects(updateCatalog(scene.catalog, scene.sources, { signal: stop.signal, onProgress }), /enough/);
    await updateCatalog(scene.catalog, scene.sources, { signal });
    assert.deepEqual([(await scene.find('n0')).length, (await scene.find('n7')).length], [10, 10]);
  });

  it('says what was wrong', async () => {
    await using scene = await CatalogScene.make();
    scene.adopt('2026-01-01', '/dev/null');
    await assert.rejects(
      updateCatalog(scene.catalog, scene.sources, { signal }),
      (error) => error instanceof ChatkeepError && error.class === 'storage' && /ENOTDIR/.test(error.message),
    );
  });
});
