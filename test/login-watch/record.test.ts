import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CheckedLogin, loginRecordIn, removeLoginRecord } from '../../src/login-watch/index.ts';
import { tempDir } from '../support/temp-dir.ts';

const LOGINS: CheckedLogin[] = [
  {
    label: 'a',
    checkedAt: 1,
    fingerprint: 'f',
    health: { kind: 'good', until: undefined, account: undefined },
    told: null,
  },
  {
    label: 'b',
    checkedAt: 2,
    fingerprint: '',
    health: { kind: 'dying', until: 9, account: 'ada@example.com' },
    told: 'dying',
  },
  { label: 'c', checkedAt: 3, fingerprint: 'f', health: { kind: 'dead', detail: 'It is.' }, told: 'dead' },
  { label: 'd', checkedAt: 4, fingerprint: 'f', health: { kind: 'unknown', detail: 'Who knows.' }, told: 'dead' },
];

describe('The record of the logins', () => {
  it('gives what was written, in a file for the user alone', async () => {
    await using directory = await tempDir();
    const record = loginRecordIn(directory.path);
    await record.write(LOGINS);
    assert.deepEqual(await record.read(), LOGINS);
    assert.equal((await stat(join(directory.path, 'logins.json'))).mode & 0o777, 0o600);
  });

  it('is empty where there is nothing, or nothing that can be understood', async () => {
    await using directory = await tempDir();
    const record = loginRecordIn(directory.path);
    assert.deepEqual(await record.read(), []);
    for (const text of ['', '{', '[]', '{"format":1,"logins":[{"label":"a"}]}']) {
      await writeFile(join(directory.path, 'logins.json'), text);
      assert.deepEqual(await record.read(), []);
    }
  });

  it('can be removed, also where there is none', async () => {
    await using directory = await tempDir();
    await removeLoginRecord(directory.path);
    const record = loginRecordIn(directory.path);
    await record.write(LOGINS);
    await removeLoginRecord(directory.path);
    assert.deepEqual(await record.read(), []);
  });
});
