import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bearerLogin } from '../../../src/download/logins/bearer.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { onlyWayIn } from './ways-in.ts';

const ADDRESS = new URL('https://chatgpt.com/backend-api/estuary/content');

async function answerFor(text: string | Buffer) {
  await using directory = await tempDir();
  const path = join(directory.path, 'token');
  await writeFile(path, text);
  return onlyWayIn(bearerLogin(path), ADDRESS);
}

describe('a bearer token', () => {
  const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln-_bmF0dXJl';
  const written = {
    'on a line of its own': `${jwt}\n`,
    'without a line end': jwt,
    'with the line ends of Windows': `${jwt}\r\n`,
    'between blank lines': `\n\n  ${jwt}  \n\n`,
    'behind a byte order mark': `\uFEFF${jwt}`,
    'with the word before it': `Bearer ${jwt}\n`,
    'with the word in small letters': `bearer   ${jwt}`,
  };
  for (const [how, text] of Object.entries(written)) {
    it(`may stand in its file ${how}`, async () => {
      assert.deepEqual(await answerFor(text), { kind: 'headers', headers: { authorization: `Bearer ${jwt}` } });
    });
  }

  const others = {
    'two lines': `${jwt}\n${jwt}`,
    'a header to be smuggled in': `${jwt}\r\nx-evil: 1`,
    'a header field': `Authorization: Bearer ${jwt}`,
    'the JSON of another program': `{"tokens":{"access_token":"${jwt}"}}`,
    'a cookie': `__Secure-next-auth.session-token=${jwt}; path=/`,
    'letters that no header can carry': 'tökén',
    'no text at all': Buffer.from([0xff, 0xfe, 0x00]),
  };
  for (const [what, text] of Object.entries(others)) {
    it(`is not ${what}`, async () => {
      const answer = await answerFor(text);
      assert.ok(answer.kind === 'unusable');
      assert.match(answer.detail, /^The file \S+\/token does not hold one access token and nothing else\.$/);
    });
  }

  it('of any file is a header field that can be sent, or a sentence that tells nothing of the file', async () => {
    const secret = 'hunter2hunter2';
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (before, after) => {
        const answer = await answerFor(before + secret + after);
        if (answer.kind === 'unusable') assert.ok(!answer.detail.includes(secret));
        else assert.match(answer.headers.authorization ?? '', /^Bearer [\x21-\x7e]+$/);
      }),
      { numRuns: 50 },
    );
  });

  it('that is missing is told by the name of its file', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'token');
    const login = bearerLogin(path);
    assert.equal(login.label, `the token in ${path}`);
    assert.deepEqual(await onlyWayIn(login, ADDRESS), {
      kind: 'unusable',
      detail: `The file ${path} does not exist.`,
    });
    assert.equal(await login.fingerprint(), 'absent');
  });

  it('is read anew at each use', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'token');
    const login = bearerLogin(path);
    for (const token of ['one', 'two']) {
      await writeFile(path, token);
      assert.deepEqual(await onlyWayIn(login, ADDRESS), {
        kind: 'headers',
        headers: { authorization: `Bearer ${token}` },
      });
    }
  });
});
