import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { commandLogin, parseHeaderLines } from '../../../src/download/logins/command.ts';
import { noNetwork, waysInto } from './ways-in.ts';

const LINK = new URL('https://chatgpt.com/backend-api/estuary/content?id=a.zip&sig=the-secret-signature');
const FIELDS = ['authorization', 'cookie', 'chatgpt-account-id', 'user-agent'];

/** A program in JavaScript, as a login command. */
function program(script: string, timeoutMs?: number) {
  const command = [process.execPath, '-e', script];
  return commandLogin(timeoutMs === undefined ? { command } : { command, timeoutMs }, { transport: noNetwork });
}

async function printed(script: string, timeoutMs?: number) {
  const [way, ...more] = await waysInto(program(script, timeoutMs), LINK);
  assert.deepEqual(more, []);
  assert.ok(way !== undefined);
  return way;
}

async function faultOf(script: string, timeoutMs?: number): Promise<string> {
  const way = await printed(script, timeoutMs);
  assert.ok(way.kind === 'unusable');
  return way.detail.replace('The login command node ', '');
}

describe('a login command', () => {
  it('prints header fields, a line each', async () => {
    assert.deepEqual(
      await printed(String.raw`process.stdout.write('Authorization: Bearer abc\r\nCookie: a=b; c=d\r\n\r\n')`),
      {
        kind: 'headers',
        headers: { authorization: 'Bearer abc', cookie: 'a=b; c=d' },
      },
    );
  });

  it('is told the host that the login goes to, and not the link', async () => {
    const script = `
      const said = require('node:fs').readFileSync(0, 'utf8');
      const environment = JSON.stringify(process.env);
      if ((said + environment + process.argv).includes('the-secret-signature')) process.exit(9);
      console.log('Authorization: Bearer ' + Buffer.from(said).toString('hex'));`;
    const way = await printed(script);
    assert.ok(way.kind === 'headers');
    const said = Buffer.from(way.headers.authorization?.replace('Bearer ', '') ?? '', 'hex').toString();
    assert.equal(said, 'protocol=https\nhost=chatgpt.com\n\n');
  });

  it('need not read what it is told', async () => {
    const way = await printed("process.stdin.destroy(); setTimeout(() => console.log('Cookie: a=b'), 50)");
    assert.deepEqual(way, { kind: 'headers', headers: { cookie: 'a=b' } });
  });

  it('is run anew at each use', async () => {
    const login = program("console.log('Authorization: Bearer ' + process.pid)");
    const uses = [await waysInto(login, LINK), await waysInto(login, LINK)];
    assert.notDeepEqual(uses[0], uses[1]);
  });

  it('that fails is told of, and nothing that it said', async () => {
    const said = "console.log('Cookie: geheim'); console.error('geheim');";
    assert.equal(await faultOf(`${said} process.exit(3)`), 'ended with exit code 3.');
    assert.equal(await faultOf(`${said} setInterval(() => {}, 1000)`, 300), 'took longer than 0.3 s.');
    assert.equal(await faultOf("console.log('geheim'.repeat(100_000))"), 'printed far more than it was asked for.');
    assert.equal(await faultOf("console.log('geheim')"), 'printed a line that is no header field (Name: value).');
    assert.equal(
      await faultOf("console.log('X-Geheim: 1')"),
      `printed a header field other than ${FIELDS.join(', ')}.`,
    );
    assert.equal(await faultOf(''), 'printed neither Authorization nor Cookie.');
  });

  it('that is not there is told of without its arguments', async () => {
    const login = commandLogin({ command: ['/nowhere/vault', 'geheim'] }, { transport: noNetwork });
    assert.deepEqual(await waysInto(login, LINK), [
      { kind: 'unusable', detail: 'The login command vault names a program that is not there: give its whole path.' },
    ]);
  });

  it('stops with whoever waits for it', async () => {
    const controller = new AbortController();
    const login = program('setInterval(() => {}, 1000)');
    const waiting = login.waysIn(LINK, { now: 0, signal: controller.signal })[Symbol.asyncIterator]().next();
    setTimeout(() => controller.abort(new Error('stopped')), 100);
    await assert.rejects(waiting, /stopped/);
  });
});

describe('header lines', () => {
  it('may be in any case, between blank lines and with space around their values', () => {
    assert.deepEqual(parseHeaderLines('\n  \nAUTHORIZATION:\tBearer a \n\nUser-Agent:Mozilla/5.0 (X11)\n'), {
      kind: 'headers',
      headers: { authorization: 'Bearer a', 'user-agent': 'Mozilla/5.0 (X11)' },
    });
  });

  it('are refused where a field comes twice, is empty, or is nothing that a program may say', () => {
    for (const text of [
      'Cookie: a=b\nCookie: c=d',
      'Cookie: a=b\nAuthorization:',
      'Cookie: a=b\nHost: evil.test',
      'Cookie: a=b\nRange: bytes=0-1',
      'Cookie : a=b',
      'Cookie: a=b\n continued',
      'Cookie: naïve',
      'Cookie: a\u0000b',
      'User-Agent: x',
    ]) {
      assert.equal(parseHeaderLines(text).kind, 'failed', text);
    }
  });

  it('of any text become fields that can be sent, or a sentence that tells nothing of it', () => {
    const secret = 'hunter2hunter2';
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('Authorization: Bearer ', 'cookie:', 'Host: ', '\n', '\r', ': ', secret),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const lines = parseHeaderLines(pieces.join(''));
        if (lines.kind === 'failed') return assert.ok(!lines.fault.includes(secret));
        for (const [name, value] of Object.entries(lines.headers)) {
          assert.ok(FIELDS.includes(name));
          assert.match(value, /^[ -~]+$/);
        }
      }),
    );
  });
});
