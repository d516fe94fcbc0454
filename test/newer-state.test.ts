import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { readHeartbeat, writeHeartbeat } from '../src/heartbeat.ts';
import { ChatkeepError } from '../src/lib/errors.ts';
import { loginRecordIn } from '../src/login-watch/index.ts';
import { TokenStore } from '../src/mailbox/oauth/token-store.ts';
import { tempDir } from './support/temp-dir.ts';

/** Each file of the state directory but the journal, whose own test shows the same. */
const FILES: readonly { readonly name: string; readonly read: (stateDir: string) => Promise<unknown> }[] = [
  { name: 'logins.json', read: (stateDir) => loginRecordIn(stateDir).read() },
  { name: 'heartbeat.json', read: (stateDir) => readHeartbeat(stateDir) },
  { name: 'oauth/ann.json', read: (stateDir) => new TokenStore(join(stateDir, 'oauth/ann.json')).read() },
];

describe('State that a newer Chatkeep has written', () => {
  for (const { name, read } of FILES) {
    it(`is refused in a plain sentence, and left as it is: ${name}`, async () => {
      await using state = await tempDir();
      const path = join(state.path, name);
      const text = JSON.stringify({ format: 2, something: 'new' });
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
      await assert.rejects(read(state.path), (error) => {
        assert.ok(error instanceof ChatkeepError);
        assert.equal(error.class, 'storage');
        assert.ok(
          error.message.endsWith(` ${path} was written by a newer Chatkeep (format 2; this one reads up to 1).`),
        );
        assert.match(error.next, /^Use the newer Chatkeep, or move the file away: /);
        return true;
      });
      assert.equal(await readFile(path, 'utf8'), text);
    });
  }

  it('is not what this version writes, nor a heartbeat without a number', async () => {
    await using state = await tempDir();
    const beat = { at: 1, pid: 1, startedAt: 1, mailboxes: [], work: [], lookedAt: null };
    await writeHeartbeat(state.path, beat);
    assert.deepEqual(await readHeartbeat(state.path), beat);
    await writeFile(join(state.path, 'heartbeat.json'), JSON.stringify(beat));
    assert.deepEqual(await readHeartbeat(state.path), beat);
  });
});
