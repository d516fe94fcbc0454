import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type BearerSettings, bearerLogin } from '../../../src/download/logins/bearer.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { noNetwork, waysInto } from './ways-in.ts';

const ADDRESS = new URL('https://chatgpt.com/backend-api/estuary/content');
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln-_bmF0dXJl';
const PARTS = { transport: noNetwork };

async function answerFor(text: string | Buffer, settings: Partial<BearerSettings> = {}) {
  await using directory = await tempDir();
  const tokenFile = join(directory.path, 'token');
  await writeFile(tokenFile, text);
  const [way, ...more] = await waysInto(bearerLogin({ tokenFile, ...settings }, PARTS), ADDRESS);
  assert.deepEqual(more, []);
  assert.ok(way !== undefined);
  return way;
}

describe('a bearer token', () => {
  const written = {
    'on a line of its own': `${JWT}\n`,
    'without a line end': JWT,
    'with the line ends of Windows': `${JWT}\r\n`,
    'between blank lines': `\n\n  ${JWT}  \n\n`,
    'behind a byte order mark': `\uFEFF${JWT}`,
    'with the word before it': `Bearer ${JWT}\n`,
    'with the word in small letters': `bearer   ${JWT}`,
    'as the page /api/auth/session': JSON.stringify({ user: { email: 'ada@example.com' }, accessToken: JWT }),
  };
  for (const [how, text] of Object.entries(written)) {
    it(`may stand in its file ${how}`, async () => {
      assert.deepEqual(await answerFor(text), { kind: 'headers', headers: { authorization: `Bearer ${JWT}` } });
    });
  }

  const others = {
    'two lines': `${JWT}\n${JWT}`,
    'a header to be smuggled in': `${JWT}\r\nx-evil: 1`,
    'a header field': `Authorization: Bearer ${JWT}`,
    'a cookie': `__Secure-next-auth.session-token=${JWT}; path=/`,
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
    const around = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('{"accessToken":"', '"}', '{"tokens":'));
    await fc.assert(
      fc.asyncProperty(around, around, async (before, after) => {
        const answer = await answerFor(before + secret + after);
        if (answer.kind !== 'headers') assert.ok(!answer.detail.includes(secret));
        else assert.match(answer.headers.authorization ?? '', /^Bearer [\x21-\x7e]+$/);
      }),
      { numRuns: 50 },
    );
  });

  it('that is missing is told by the name of its file', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'token');
    const login = bearerLogin({ tokenFile: path }, PARTS);
    assert.equal(login.label, `the token in ${path}`);
    assert.deepEqual(await waysInto(login, ADDRESS), [
      { kind: 'unusable', detail: `The file ${path} does not exist.` },
    ]);
    assert.equal(await login.fingerprint(), 'absent');
  });

  it('is read anew at each use', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'token');
    const login = bearerLogin({ tokenFile: path }, PARTS);
    for (const token of ['one', 'two']) {
      await writeFile(path, token);
      assert.deepEqual(await waysInto(login, ADDRESS), [
        { kind: 'headers', headers: { authorization: `Bearer ${token}` } },
      ]);
    }
  });

  it('goes along with the id of the account that is configured', async () => {
    assert.deepEqual(await answerFor(JWT, { accountId: 'acct-1' }), {
      kind: 'headers',
      headers: { authorization: `Bearer ${JWT}`, 'chatgpt-account-id': 'acct-1' },
    });
  });
});

describe("the Codex CLI's auth.json", () => {
  const auth = (tokens: unknown) =>
    JSON.stringify({ OPENAI_API_KEY: null, tokens, last_refresh: '2026-11-20T10:00:00Z' }, undefined, 2);
  const tokens = { id_token: 'a.b.c', access_token: JWT, refresh_token: 'rt-1', account_id: 'acct-codex' };

  it('gives its token and the account that it is for', async () => {
    assert.deepEqual(await answerFor(auth(tokens)), {
      kind: 'headers',
      headers: { authorization: `Bearer ${JWT}`, 'chatgpt-account-id': 'acct-codex' },
    });
  });

  it('may be for another account by the configuration', async () => {
    const answer = await answerFor(auth(tokens), { accountId: 'acct-1' });
    assert.equal(answer.kind === 'headers' && answer.headers['chatgpt-account-id'], 'acct-1');
  });

  it('names no account where its id cannot be sent', async () => {
    for (const account_id of [null, undefined, 'a\r\nx: 1', '', 5]) {
      assert.deepEqual(await answerFor(auth({ ...tokens, account_id })), {
        kind: 'headers',
        headers: { authorization: `Bearer ${JWT}` },
      });
    }
  });

  it('of somebody who works with an API key has no token, which is told', async () => {
    for (const none of [null, {}, { access_token: 'two words' }]) {
      const answer = await answerFor(auth(none));
      assert.ok(answer.kind === 'unusable');
      assert.match(answer.detail, /is JSON without the access token of a ChatGPT account/);
    }
  });

  it('is never written', async () => {
    await using directory = await tempDir();
    const tokenFile = join(directory.path, 'auth.json');
    await writeFile(tokenFile, auth(tokens), { mode: 0o400 });
    const before = await stat(tokenFile);
    const login = bearerLogin({ tokenFile }, PARTS);
    await waysInto(login, ADDRESS);
    await login.check(ADDRESS, { now: 0, signal: new AbortController().signal });
    assert.deepEqual(
      [await readFile(tokenFile, 'utf8'), (await stat(tokenFile)).mtimeMs],
      [auth(tokens), before.mtimeMs],
    );
    assert.match(login.howToRenew, /Run `codex` once/);
  });
});
