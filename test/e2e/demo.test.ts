import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { WebVisitor } from '../support/web-visitor.ts';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
const PATIENCE_MS = 120_000;

describe('The demo', () => {
  it('keeps two exports, opens the page to whoever reads the password, and ends in good order', async () => {
    await using demo = startDemo(['--keep']);
    await demo.printed(/Ctrl-C ends the demo/);
    const [, address = ''] = /^ +(http:\S+)$/m.exec(demo.output) ?? [];
    const [, password = ''] = /Password: +(\S+)/.exec(demo.output) ?? [];
    const visitor = new WebVisitor(new URL(address).origin);
    assert.equal(await visitor.signIn(password), 303);
    const snapshots = (await visitor.read('/snapshots')).match(/href="\/snapshots\/[^/"]+\/[^/"]+"/g);
    assert.equal(new Set(snapshots).size, 2);

    demo.interrupt();
    assert.equal(await demo.code, 0, demo.output);
    assert.match(demo.output, /\$ chatkeep verify[\s\S]*That was all of it/);
  });
});

interface Demo extends AsyncDisposable {
  readonly output: string;
  readonly code: Promise<number | null>;
  printed(what: RegExp): Promise<void>;
  interrupt(): void;
}

function startDemo(args: readonly string[]): Demo {
  const child = spawn(process.execPath, [DEMO, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const code = once(child, 'exit').then(([exitCode]) => exitCode as number | null);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += stripVTControlCharacters(chunk.toString());
      child.emit('printed');
    });
  }
  return {
    get output() {
      return output;
    },
    code,
    async printed(what) {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const ended = code.then(() => assert.fail(`the demo has ended:\n${output}`));
      while (!what.test(output)) await Promise.race([once(child, 'printed', { signal }), ended]);
    },
    interrupt: () => child.kill('SIGINT'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await code;
    },
  };
}
