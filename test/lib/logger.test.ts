import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

/** What a program of these lines, with a `logger` of these options, prints. */
async function logged(options: string, lines: string): Promise<{ stdout: string; stderr: string }> {
  const url = (name: string) => JSON.stringify(new URL(`../../src/lib/${name}.ts`, import.meta.url).href);
  const script = `
    import { createLogger } from ${url('logger')};
    import { Secret } from ${url('secret')};
    const logger = await createLogger(${options});
    ${lines}`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
}

describe('the log', () => {
  it('is a line of JSON an entry, with the level by name and the time in UTC', async () => {
    const { stdout, stderr } = await logged(
      `{ level: 'info', format: 'json', fd: 1 }`,
      `logger.child({ capture: 'c1' }).warn({ bytes: 7 }, 'slow'); logger.debug('unseen');`,
    );
    const { time, ...entry } = JSON.parse(stdout);
    assert.deepEqual(entry, { level: 'warn', capture: 'c1', bytes: 7, msg: 'slow' });
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(stderr, '');
  });

  it('goes to standard error where it is told to', async () => {
    const { stdout, stderr } = await logged(`{ level: 'info', format: 'auto', fd: 2 }`, `logger.info('here');`);
    assert.equal(stdout, '');
    assert.equal(JSON.parse(stderr).msg, 'here');
  });

  it('can be read by people', async () => {
    const { stdout } = await logged(
      `{ level: 'info', format: 'pretty', fd: 1 }`,
      `logger.info({ capture: 'c1', bytes: 7 }, 'downloaded');`,
    );
    assert.match(stdout, /INFO.*downloaded/);
    assert.doesNotMatch(stdout, /c1/);
  });

  it('says nothing when it is silent', async () => {
    const { stdout } = await logged(`{ level: 'silent', format: 'json', fd: 1 }`, `logger.fatal('help');`);
    assert.equal(stdout, '');
  });

  it('tells an error with its kind, code and place, and none of its secrets', async () => {
    const { stdout } = await logged(
      `{ level: 'info', format: 'json', fd: 1 }`,
      `const cause = new Error('Cookie: hunter2');
       const error = new TypeError('GET https://a.test/?sig=hunter2 failed', { cause });
       Object.assign(error, { code: 'EFAILED', url: 'https://a.test/?sig=hunter2', config: { password: 'hunter2' } });
       logger.error({ err: error, link: new Secret('hunter2') }, 'failed: %s', new Secret('hunter2'));`,
    );
    const { err, link, msg } = JSON.parse(stdout);
    assert.doesNotMatch(stdout, /hunter2/);
    assert.deepEqual([link, msg], ['[redacted]', 'failed: [redacted]']);
    assert.equal(err.type, 'TypeError');
    assert.equal(err.code, 'EFAILED');
    assert.match(err.message, /^GET https:\/\/a\.test\/\[redacted\] failed/);
    assert.match(err.stack, /at file:\/\/\/.*:\d+:\d+/);
  });
});
