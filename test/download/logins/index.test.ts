import assert from 'node:assert/strict';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLogins, loginOrigin, loginsFingerprint } from '../../../src/download/logins/index.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { noNetwork } from './ways-in.ts';

const PARTS = { transport: noNetwork };

describe('the logins of a configuration', () => {
  it('come in its order', () => {
    const logins = createLogins(
      [
        { type: 'cookies', file: '/run/cookies.txt' },
        { type: 'bearer', tokenFile: '/run/token' },
        { type: 'command', command: ['/usr/bin/pass', 'show', 'chatgpt'] },
      ],
      PARTS,
    );
    assert.deepEqual(
      logins.map(({ label }) => label),
      ['the cookies in /run/cookies.txt', 'the token in /run/token', 'the login command pass'],
    );
  });

  it('have a fingerprint that changes when any of them does', async () => {
    await using directory = await tempDir();
    const file = join(directory.path, 'cookies.txt');
    const tokenFile = join(directory.path, 'token');
    const logins = createLogins(
      [
        { type: 'cookies', file },
        { type: 'bearer', tokenFile },
      ],
      PARTS,
    );
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

  it('are tried out where exports come from that ask for a login; at a place of the user, if there is one', () => {
    const place = (origin: string, login: boolean, extra: boolean) => ({ origin, path: /^/, login, extra });
    const own = [place('https://blob.example.org', false, false), place('https://chatgpt.com', true, false)];
    assert.equal(loginOrigin(own).href, 'https://chatgpt.com/');
    assert.equal(loginOrigin([...own, place('https://proxy.test', true, true)]).href, 'https://proxy.test/');
    assert.throws(() => loginOrigin([place('https://blob.example.org', false, false)]), TypeError);
  });
});
