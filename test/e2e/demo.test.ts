import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { Service } from '../support/service.ts';
import { WebVisitor } from '../support/web-visitor.ts';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
const PATIENCE_MS = 120_000;

describe('The demo', () => {
  it('keeps two exports, opens the page to whoever reads the password, and ends in good order', async () => {
    await using demo = new Service({}, process.execPath, [DEMO, '--keep']);
    await demo.printed(/Ctrl-C ends the demo/, PATIENCE_MS);
    const output = stripVTControlCharacters(demo.output);
    const [, address = ''] = /^ +(http:\S+)$/m.exec(output) ?? [];
    const [, password = ''] = /Password: +(\S+)/.exec(output) ?? [];
    const visitor = new WebVisitor(new URL(address).origin);
    assert.equal(await visitor.signIn(password), 303);
    const snapshots = (await visitor.read('/snapshots')).match(/href="\/snapshots\/[^/"]+\/[^/"]+"/g);
    assert.equal(new Set(snapshots).size, 2);

    assert.equal((await demo.stop('SIGINT')).code, 0, demo.output);
    assert.match(stripVTControlCharacters(demo.output), /\$ chatkeep verify[\s\S]*That was all of it/);
  });
});
