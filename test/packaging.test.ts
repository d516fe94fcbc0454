import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Of 10; what systemd calls OK. */
const MOST_EXPOSURE = 2;

describe('compose.yaml', () => {
  it('is one that Compose takes, with all its profiles', async () => {
    const profiles = ['browser', 'observability'].flatMap((name) => ['--profile', name]);
    await run('docker-compose', ['--file', at('compose.yaml'), ...profiles, 'config', '--quiet']);
  });
});

describe('packaging/systemd/chatkeep.service', () => {
  it('exposes little of the machine, by the judgement of systemd', async () => {
    const unit = at('packaging/systemd/chatkeep.service');
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', unit]);
    const exposure = Number(/Overall exposure level for chatkeep\.service: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(exposure <= MOST_EXPOSURE, `${exposure}`);
  });
});
