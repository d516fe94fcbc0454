import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { messageSchema } from '../../src/notify/index.ts';
import { WebServer } from '../notify/support.ts';
import { tempDir } from '../support/temp-dir.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

async function notifyTest(
  addresses: string,
  args: string[] = [],
  yaml = '',
): Promise<{ code: unknown; out: string; err: string }> {
  await using directory = await tempDir();
  const env = {
    PATH: process.env.PATH,
    CHATKEEP_BACKUP_DIR: `${directory.path}/backups`,
    CHATKEEP_STATE_DIR: `${directory.path}/state`,
    ...(addresses === '' ? {} : { CHATKEEP_NOTIFY: addresses }),
  };
  await writeFile(`${directory.path}/chatkeep.yaml`, yaml);
  const child = spawn(
    process.execPath,
    [MAIN, 'notify', 'test', ...args, '--config', `${directory.path}/chatkeep.yaml`],
    { env },
  );
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

describe('chatkeep notify test --event', () => {
  it('sends a sample with the text of the real message, marked as a sample', async () => {
    await using server = await WebServer.listen();
    const { code, out } = await notifyTest(`json://${server.host}/`, ['--event', 'needs-login']);
    assert.equal(code, 0);
    assert.equal(
      out,
      `Sample: ChatGPT export waits for a login, 23 h left (event needs-login, level warning)\nwebhook at ${server.host}: taken\n`,
    );
    const message = messageSchema.parse(server.requests[0]?.body);
    assert.match(
      message.body,
      /^This is a sample that you asked for: .*\n\nAn export is ready, but OpenAI gives it only/,
    );
    assert.equal(message.data.sample, true);
  });

  it('sends it to an address whose filter keeps the real one away, and says so', async () => {
    await using picky = await WebServer.listen();
    await using calm = await WebServer.listen();
    await using open = await WebServer.listen();
    const yaml = [
      'notify:',
      `  - { url: 'json://${picky.host}/', events: [needs-login] }`,
      `  - { url: 'json://${calm.host}/', min_level: failure }`,
      `  - { url: 'json://${open.host}/', quiet_hours: '00:00-23:59' }`,
    ].join('\n');
    const { code, out } = await notifyTest('', ['--event', 'pruned'], yaml);
    assert.equal(code, 0);
    const kept = '(A real one is not brought there: the `events` or `min_level` of this address leave it out.)';
    assert.deepEqual(out.split('\n').slice(1, 4), [
      `webhook at ${picky.host}: taken ${kept}`,
      `webhook at ${calm.host}: taken ${kept}`,
      `webhook at ${open.host}: taken`,
    ]);
    assert.deepEqual(
      [picky, calm, open].map(({ requests }) => requests.length),
      [1, 1, 1],
    );
    const json = await notifyTest('', ['--event', 'pruned', '--json'], yaml);
    assert.deepEqual(
      JSON.parse(json.out).map(({ wanted }: { wanted: boolean }) => wanted),
      [false, false, true],
    );
  });

  it('sends one of a digest to an address that asks for some events only, as it is made of these', async () => {
    await using server = await WebServer.listen();
    const yaml = `notify:\n  - { url: 'json://${server.host}/', events: [needs-login] }`;
    assert.doesNotMatch((await notifyTest('', ['--event', 'digest'], yaml)).out, /not brought/);
  });

  it('sends it once to an address that is listed twice', async () => {
    await using server = await WebServer.listen();
    const one = `json://${server.host}/`;
    assert.equal((await notifyTest(`${one} ${one}`, ['--event', 'expired'])).code, 0);
    assert.equal(server.requests.length, 1);
  });

  it('refuses a name that is not known, lists those that are, and sends nothing', async () => {
    await using server = await WebServer.listen();
    const { code, err } = await notifyTest(`json://${server.host}/`, ['--event', 'expird']);
    assert.equal(code, 2);
    assert.match(
      err,
      /There is no event "expird"; did you mean expired\? There are: snapshot-committed, .*, digest\.\n/,
    );
    assert.equal(server.requests.length, 0);
  });

  it('lists what there is, for people and as JSON, where nobody is to be told yet, too', async () => {
    const { code, out } = await notifyTest('', ['--list']);
    assert.equal(code, 0);
    assert.match(out, /^NAME +EVENT +IS SENT WHEN\n/);
    assert.match(out, /\nmailbox-back +recovered +a mailbox that you were told of can be read again\n/);
    assert.equal(
      JSON.parse((await notifyTest('', ['--list', '--json'])).out).length,
      out.trimEnd().split('\n').length - 1,
    );
  });
});
