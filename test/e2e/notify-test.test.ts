import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebServer } from '../notify/support.ts';
import { tempDir } from '../support/temp-dir.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

async function notifyTest(addresses: string): Promise<{ code: unknown; out: string; err: string }> {
  await using directory = await tempDir();
  const env = {
    PATH: process.env.PATH,
    CHATKEEP_BACKUP_DIR: `${directory.path}/backups`,
    CHATKEEP_STATE_DIR: `${directory.path}/state`,
    CHATKEEP_NOTIFY: addresses,
  };
  const child = spawn(process.execPath, [MAIN, 'notify', 'test'], { env });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}

describe('chatkeep notify test', () => {
  it('sends a message to each address, and tells of each whether it was taken', async () => {
    await using sound = await WebServer.listen();
    await using broken = await WebServer.listen();
    broken.answer = { status: 404 };
    const { code, out, err } = await notifyTest(`json://${sound.host}/geheim json://${broken.host}/geheim`);
    assert.equal(code, 7);
    assert.match(
      out,
      new RegExp(`^webhook at ${sound.host}: taken\nwebhook at ${broken.host}: FAILED\\. .*status 404`),
    );
    assert.match(err, /1 address of 2 did not take the test message/);
    assert(!`${out}${err}`.includes('geheim'));
    assert.equal(sound.requests.length, 1);
  });

  it('succeeds when all were taken, and says what to do when nobody is to be told', async () => {
    await using sound = await WebServer.listen();
    assert.equal((await notifyTest(`json://${sound.host}/`)).code, 0);
    const nobody = await notifyTest('');
    assert.equal(nobody.code, 2);
    assert.match(nobody.err, /There is nobody to be told/);
  });
});
