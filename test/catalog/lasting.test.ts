import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LastingCatalog, updateCatalog } from '../../src/catalog/index.ts';
import { catalogDirectory, catalogSources } from '../../src/cataloging.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import { WebScene } from '../web/scene.ts';

const { signal } = new AbortController();

describe('The catalog of one who reads for long', () => {
  it('comes when there is one, and is the new one when it was made anew, while the one before can be read on', async () => {
    await using scene = await WebScene.open();
    const directory = catalogDirectory(scene.config);
    using lasting = new LastingCatalog(directory);
    const current = () => lasting.current;
    assert.equal(current(), undefined);
    await scene.take(createAccount({ seed: 'lasting', conversations: 3 }), 'G5', '2026-03-02T10:00:00Z');
    const before = current();
    assert.equal(before?.count({}), 3);
    assert.equal(current(), before);
    await updateCatalog(directory, await catalogSources(scene.config.backupDir), { signal, rebuild: true });
    const after = current();
    assert.notEqual(after, before);
    assert.equal(after?.count({}), 3);
    assert.equal(before?.count({}), 3);
  });
});
