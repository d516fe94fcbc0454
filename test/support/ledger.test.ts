import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readLedger } from './ledger.ts';
import { tempDir } from './temp-dir.ts';

const REPORTER = fileURLToPath(new URL('ledger.ts', import.meta.url));

test('A run leaves behind which files failed, each once, and how many lines it reached', async () => {
  await using directory = await tempDir();
  const [sound, broken] = [join(directory.path, 'sound.test.js'), join(directory.path, 'broken.test.js')];
  await writeFile(sound, "require('node:test').test('holds', () => {});");
  await writeFile(
    broken,
    "for (const each of [1, 2]) require('node:test').test('fails ' + each, () => { throw new Error(); });",
  );

  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = spawnSync(
    process.execPath,
    ['--test', '--experimental-test-coverage', `--test-reporter=${REPORTER}`, sound, broken],
    { encoding: 'utf8', env },
  );

  assert.deepEqual(readLedger(stdout), { failedFiles: [broken], lineCoverage: 100 });
});
