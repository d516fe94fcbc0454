import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { FileHasher, sha256, sha256InThread, sha256OfFile } from '../../src/lib/hash.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { tempDir } from '../support/temp-dir.ts';

/** FIPS 180-4, as NIST's examples have it. */
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('the SHA-256', () => {
  it('of text and bytes is 64 hex digits', () => {
    assert.equal(sha256('abc'), ABC);
    assert.equal(sha256(Buffer.from('abc')), ABC);
    assert.equal(sha256(''), NOTHING);
  });

  it('of a file is that of its bytes, however many', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'file');
    for (const bytes of [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(3_000_000, 'x')]) {
      await writeFile(path, bytes);
      assert.equal(await sha256OfFile(path), sha256(bytes));
    }
  });

  it('of a file can be given up, and of none cannot be had', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'file');
    await assert.rejects(sha256OfFile(path), { code: 'ENOENT' });
    await writeFile(path, 'abc');
    await assert.rejects(sha256OfFile(path, AbortSignal.abort()), { name: 'AbortError' });
    assert.deepEqual(await openFilesBelow(directory.path), []);
  });

  it('of a file is the same from a thread of its own, which can be given up and tells of errors', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'file');
    await assert.rejects(sha256InThread(path), { code: 'ENOENT' });
    const bytes = Buffer.alloc(3_000_000, 'abc');
    await writeFile(path, bytes);
    assert.equal(await sha256InThread(path), sha256(bytes));
    const stop = new AbortController();
    const digest = sha256InThread(path, stop.signal);
    stop.abort();
    await assert.rejects(digest, { name: 'AbortError' });
  });

  it('of several files at a time comes from threads that end with the last; an unreadable one stops no other', async () => {
    await using directory = await tempDir();
    const large = Buffer.alloc(3_000_000, 'abc');
    for (const name of ['a', 'b', 'c']) await writeFile(join(directory.path, name), large);
    await writeFile(join(directory.path, 'small'), 'abc');
    const ends: Promise<unknown>[] = [];
    const note = (thread: Worker) => ends.push(new Promise((resolve) => thread.once('exit', resolve)));
    process.on('worker', note);
    {
      await using hasher = new FileHasher();
      const at = (name: string) => join(directory.path, name);
      const results = await Promise.allSettled([
        hasher.sha256(at('a')),
        hasher.sha256(at('none')),
        hasher.sha256(at('b'), undefined, large.length),
        hasher.sha256(at('small'), undefined, 3),
      ]);
      assert.deepEqual(
        results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.code)),
        [sha256(large), 'ENOENT', sha256(large), ABC],
      );
      assert.equal(await hasher.sha256(at('c')), sha256(large));
      assert.equal(ends.length, 3, 'a thread for each large file at a time, and none for the small one or the last');
    }
    process.off('worker', note);
    await Promise.all(ends);
  });
});
