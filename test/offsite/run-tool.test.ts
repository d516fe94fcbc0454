import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../src/lib/secret.ts';
import { runTool, type ToolRun } from '../../src/offsite/run-tool.ts';

/** Runs a program of these lines of JavaScript. */
function runScript(script: string, changes: Partial<ToolRun> = {}) {
  return runTool({
    program: process.execPath,
    args: ['--eval', script],
    variables: {},
    secrets: [],
    signal: new AbortController().signal,
    timeLimitMs: 60_000,
    ...changes,
  });
}

describe('A program that copies', () => {
  it('runs with low priority, its own variables, and nothing of our environment that is not its business', async () => {
    process.env.CHATKEEP_IMAP_PASSWORD = 'geheim';
    const { exitCode, output } = await runScript(
      'console.log(os.getPriority(), process.env.TOKEN, process.env.CHATKEEP_IMAP_PASSWORD, !!process.env.PATH)',
      { variables: { TOKEN: 'abc' } },
    ).finally(() => delete process.env.CHATKEEP_IMAP_PASSWORD);
    assert.equal(exitCode, 0);
    assert.deepEqual(output, ['15 abc undefined true']);
  });

  it('hands on each line as it comes, and remembers the last ones without secrets', async () => {
    const lines: string[] = [];
    const { exitCode, output, errors } = await runScript(
      `for (let i = 0; i < 300; i += 1) console.log('line ' + i);
       console.error('no access with very secret words to https://ada:pw@host.example/path?sig=1');
       process.exitCode = 3`,
      { secrets: [new Secret('very secret words')], onOutput: (line) => lines.push(line) },
    );
    assert.equal(exitCode, 3);
    assert.equal(lines.length, 300);
    assert.deepEqual([output.length, output.at(-1)], [200, 'line 299']);
    assert.deepEqual(errors, ['no access with [redacted] to https://host.example/[redacted]']);
  });

  it('is asked to stop when the service stops, and may tidy up', async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    const running = runScript(
      `process.on('SIGINT', () => { console.log('tidied up'); process.exit(1); });
       setInterval(() => {}, 1000); console.log('ready')`,
      {
        signal: stop.signal,
        onOutput: (line) => {
          lines.push(line);
          if (line === 'ready') stop.abort(new Error('the service stops'));
        },
      },
    );
    await assert.rejects(running, /the service stops/);
    assert.deepEqual(lines, ['ready', 'tidied up']);
  });

  it('is killed when it does not stop', async () => {
    const stop = new AbortController();
    const running = runScript(`process.on('SIGINT', () => {}); setInterval(() => {}, 1000); console.log('ready')`, {
      signal: stop.signal,
      onOutput: () => stop.abort(new Error('the service stops')),
    });
    await assert.rejects(running, /the service stops/);
  });

  it('is stopped when its time is over, which is told', async () => {
    await assert.rejects(runScript('setInterval(() => {}, 1000)', { timeLimitMs: 1800 }), {
      name: 'OffsiteError',
      message: /did not come to its end within 0\.0005 hours and was stopped/,
    });
  });

  it('that is not there is told', async () => {
    const { exitCode, errors } = await runScript('', { program: 'no-such-program' });
    assert.equal(exitCode, 127);
    assert.match(errors.join(' '), /no-such-program/);
  });

  it('does not begin when the service is stopping', async () => {
    await assert.rejects(runScript('', { signal: AbortSignal.abort(new Error('the service stops')) }), /stops/);
  });
});
