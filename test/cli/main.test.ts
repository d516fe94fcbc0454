import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PACKAGE = new URL('../../package.json', import.meta.url);

/** Runs it with a Node that says it is another one. */
function runWithNode(version: string) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return spawnSync(process.execPath, ['--import', `data:text/javascript,${pretend}`, MAIN, '--version'], {
    encoding: 'utf8',
  });
}

describe('the program', () => {
  it('says what to do where Node is older than package.json asks for', async () => {
    const { engines } = JSON.parse(await readFile(PACKAGE, 'utf8'));
    const oldest = Number(/^>=(\d+)$/.exec(engines.node)?.[1]);
    const { status, stdout, stderr } = runWithNode(`${oldest - 1}.9.0`);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(
      stderr,
      new RegExp(`^chatkeep: This is Node ${oldest - 1}\\.9\\.0, and Chatkeep needs Node ${oldest} or newer\\.`),
    );
    assert.equal(runWithNode(`${oldest}.0.0`).status, 0);
  });
});
