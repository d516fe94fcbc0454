import assert from 'node:assert/strict';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLogins, loginsFingerprint } from '../../../src/download/logins/index.ts';
import { tempDir } from '../../support/temp-dir.ts';

describe('the logins of a configuration', () => {
  it('come in its order', () => {
    const logins = createLogins([
      { type: 'cookies', file: '/run/cookies.txt' },
      { type: 'bearer', tokenFile: '/run/token' },
    ]);
    assert.deepEqual(
      logins.map(({ label }) => label),
      ['the cookies in /run/cookies.txt', 'the token in /run/token'],
    );
  });

  it('have a fingerprint that changes when any of them does', async () => {
    await using directory = await tempDir();
    const file = join(directory.path, 'cookies.txt');
    const tokenFile = join(directory.path, 'token');
    const logins = createLogins([
      { type: 'cookies', file },
      { type: 'bearer', tokenFile },
    ]);
    const seen = [await loginsFingerprint(logins)];
    await writeFile(tokenFile, 'one');
    seen.push(await loginsFingerprint(logins));
    await writeFile(file, 'cookies');
    seen.push(await loginsFingerprint(logins));
    await utimes(tokenFile, 1, 2);
    seen.push(await loginsFingerprint(logins));
    assert.equal(new Set(seen).size, 4);
    assert.equal(await loginsFingerprint(logins), seen.at(-1));
    assert.equal(await loginsFingerprint([]), '');
  });
});
