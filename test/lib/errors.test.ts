import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import {
  asStorageError,
  ChatkeepError,
  ERROR_TABLE,
  errorCode,
  errorMessage,
  storageTrouble,
} from '../../src/lib/errors.ts';
import { tempDir } from '../support/temp-dir.ts';

const withCode = (code: string, cause?: unknown) => Object.assign(new Error('low level', { cause }), { code });

describe('an error of Chatkeep', () => {
  it('has the exit code and the advice of its class', () => {
    const error = new ChatkeepError('storage', 'The disk is full.');
    assert.equal(error.exitCode, 5);
    assert.equal(error.next, ERROR_TABLE.storage.next);
    assert.equal(error.name, 'ChatkeepError');
    assert.equal(error.message, 'The disk is full.');
    assert.ok(!('cause' in error));
  });

  it('may have better advice, and a cause', () => {
    const cause = new Error('why');
    const error = new ChatkeepError('usage', 'No such file.', { next: 'Look again.', cause });
    assert.deepEqual([error.next, error.cause], ['Look again.', cause]);
  });

  it('has a stable exit code: the table is a promise', () => {
    const codes = Object.fromEntries(Object.entries(ERROR_TABLE).map(([name, { exitCode }]) => [name, exitCode]));
    assert.deepEqual(codes, {
      internal: 1,
      config: 2,
      usage: 2,
      damaged: 3,
      'in-use': 4,
      storage: 5,
      refused: 6,
      unhealthy: 7,
      'not-found': 8,
      interrupted: 130,
    });
  });
});

describe('the code of an error', () => {
  it('is that of whatever was thrown, if it has one', async () => {
    assert.equal(errorCode(await open('/nonexistent/file').catch((error: unknown) => error)), 'ENOENT');
    for (const thrown of [undefined, null, 'ENOENT', 7, {}, { code: 7 }, new Error('ENOENT')]) {
      assert.equal(errorCode(thrown), undefined);
    }
  });
});

describe('the message of whatever was thrown', () => {
  it('is its text', () => {
    assert.deepEqual([new Error('why'), 'why', undefined, null].map(errorMessage), ['why', 'why', 'undefined', 'null']);
  });
});

describe('trouble with the storage', () => {
  it('is told in words', async () => {
    assert.equal(storageTrouble(withCode('ENOSPC')), 'the disk is full');
    assert.equal(storageTrouble(withCode('EROFS')), 'the file system is read-only');
    const error: unknown = await readdir('/etc/hostname').catch((caught: unknown) => caught);
    assert.equal(storageTrouble(error), 'a part of the path is not a directory');
  });

  it('is told in the same words where SQLite meets it, whose other errors are not of the storage', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'a.sqlite');
    using database = new DatabaseSync(path);
    database.exec('CREATE TABLE things (content BLOB); PRAGMA max_page_count = 3');
    using reader = new DatabaseSync(path, { readOnly: true });
    const troubleOf = (work: () => void) => {
      try {
        work();
      } catch (error) {
        return storageTrouble(error);
      }
      throw new Error('it did not fail');
    };
    const insert = 'INSERT INTO things VALUES (zeroblob(100000))';
    assert.equal(
      troubleOf(() => database.exec(insert)),
      'the disk is full',
    );
    assert.equal(
      troubleOf(() => reader.exec(insert)),
      'the file or its file system is read-only',
    );
    assert.equal(
      troubleOf(() => database.exec('no SQL')),
      undefined,
    );
    const moved = Object.assign(withCode('ERR_SQLITE_ERROR'), { errcode: 1032 });
    assert.equal(storageTrouble(moved), 'the file or its file system is read-only');
  });

  it('is found through causes, to a depth', () => {
    const full = withCode('ENOSPC');
    assert.equal(storageTrouble(new Error('one', { cause: new Error('two', { cause: full }) })), 'the disk is full');
    assert.equal(storageTrouble(withCode('ERR_OTHER', full)), 'the disk is full');
    let deep: Error = full;
    for (let depth = 0; depth < 10; depth += 1) deep = new Error('outer', { cause: deep });
    assert.equal(storageTrouble(deep), undefined);
  });

  it('is not seen in other errors, nor in circles of causes', () => {
    const circle = new Error('circle');
    circle.cause = circle;
    for (const thrown of [
      withCode('ENOENT'),
      withCode('ECONNRESET'),
      new Error('ENOSPC'),
      'ENOSPC',
      undefined,
      circle,
    ]) {
      assert.equal(storageTrouble(thrown), undefined);
    }
  });

  it('becomes an error that names what was done and where', () => {
    const cause = withCode('EACCES');
    const error = asStorageError(cause, 'write the download', '/state/a.zip');
    assert.ok(error instanceof ChatkeepError);
    assert.equal(error.class, 'storage');
    assert.equal(error.message, 'Could not write the download /state/a.zip: permission is denied.');
    assert.equal(error.cause, cause);
  });

  it('is told once; what is something else stays as it is', () => {
    const told = new ChatkeepError('storage', 'told', { cause: withCode('ENOSPC') });
    const other = new Error('other');
    assert.equal(asStorageError(told, 'write', '/a'), told);
    assert.equal(asStorageError(other, 'write', '/a'), other);
    assert.equal(asStorageError(undefined, 'write', '/a'), undefined);
  });
});
