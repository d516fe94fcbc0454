import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { nothingAwaited } from '../../src/capture/awaited.ts';
import { openSqliteJournal } from '../../src/capture/sqlite-journal.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { Secret } from '../../src/lib/secret.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { tempDir } from '../support/temp-dir.ts';
import { END_STATES, FOUND_MS, LINK, LOGIN_TROUBLE, noticeCapture, OPEN_STATES, someMessage } from './examples.ts';
import { journalContract } from './journal-contract.ts';

journalContract('SQLite', async () => {
  const directory = await tempDir();
  return {
    open: async () => openSqliteJournal(join(directory.path, 'journal.sqlite')),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});

async function bytesBelow(directory: string): Promise<string> {
  const names = await readdir(directory);
  return (await Promise.all(names.map((name) => readFile(join(directory, name), 'latin1')))).join('');
}

/** A journal as an earlier Chatkeep has written it. */
async function journalOf(dump: string, directory: string): Promise<string> {
  const path = join(directory, 'journal.sqlite');
  using database = new DatabaseSync(path);
  database.exec(await readFile(new URL(dump, import.meta.url), 'utf8'));
  return path;
}

function versionOf(path: string): unknown {
  using database = new DatabaseSync(path, { readOnly: true });
  return database.prepare('PRAGMA user_version').get()?.user_version;
}

/** The tables and indexes, in whatever order they were made. */
function tablesOf(path: string): unknown[] {
  using database = new DatabaseSync(path, { readOnly: true });
  return database.prepare('SELECT name, sql FROM sqlite_master ORDER BY name').all();
}

const REQUEST = { askedAt: FOUND_MS + SECOND_MS, seenAt: FOUND_MS + 10 * MINUTE_MS, remindedAt: undefined };
const AWAITED = { ...nothingAwaited('ann@example.org', 'openai'), requests: [REQUEST] };
const TOLD = { subject: 'disk /backups', what: 'low', at: FOUND_MS };
const LOGIN_ASKED_FOR = {
  ...LOGIN_TROUBLE,
  since: FOUND_MS + 10 * MINUTE_MS,
  lastAt: FOUND_MS + 10 * MINUTE_MS,
  attempts: 3,
};

/** What each version of the journal was the first to keep, and what lies in its example. */
const EARLIER_VERSIONS = [
  { version: 1, trouble: undefined, due: 'ChatGPT backup done', awaited: [] },
  { version: 2, trouble: LOGIN_ASKED_FOR, due: 'Chatkeep needs your login', awaited: [AWAITED] },
  { version: 3, trouble: LOGIN_ASKED_FOR, due: 'Chatkeep needs your login', awaited: [AWAITED] },
] as const;

describe('Journals of earlier versions', () => {
  it('are all tried here: there is an example of each', async () => {
    await using state = await tempDir();
    const path = join(state.path, 'journal.sqlite');
    await openSqliteJournal(path)[Symbol.asyncDispose]();
    const earlier = Array.from({ length: Number(versionOf(path)) - 1 }, (_, index) => index + 1);
    assert.deepEqual(
      EARLIER_VERSIONS.map(({ version }) => version),
      earlier,
    );
  });
});

for (const { version, trouble, due, awaited } of EARLIER_VERSIONS) {
  describe(`A journal of version ${version}`, () => {
    const example = `./journal-v${version}.sql`;

    it('is brought to the present version, with all that is in it', async () => {
      await using state = await tempDir();
      const path = await journalOf(example, state.path);
      assert.equal(versionOf(path), version);
      await using journal = openSqliteJournal(path);
      const [open] = await journal.openCaptures();
      assert.deepEqual([open?.id, open?.state.name], ['a1b2c3d4e5f6', 'needs-login']);
      assert.equal(open?.origin.kind === 'notice' && open.origin.link?.reveal(), LINK);
      assert.deepEqual(open?.trouble, trouble);
      assert.deepEqual(
        (await journal.endedCaptures(5)).map(({ id, state }) => [id, state.name]),
        [['f0f1f2f3f4f5', 'committed']],
      );
      assert.deepEqual(await journal.unseen('ann@example.org', 'INBOX', '1700000000', [16, 17, 18]), [16]);
      assert.equal(await journal.knowsFile('a key'), true);
      assert.equal((await journal.pendingHandIns())[0]?.path, '/home/ann/a.zip');
      assert.equal((await journal.due(Number.MAX_SAFE_INTEGER, ['ntfy']))[0]?.message.title, due);
      assert.deepEqual(await journal.awaited(), awaited);
    });

    it('has the tables of a new one then', async () => {
      await using state = await tempDir();
      const path = await journalOf(example, state.path);
      const fresh = join(state.path, 'fresh.sqlite');
      for (const each of [path, fresh]) await openSqliteJournal(each)[Symbol.asyncDispose]();
      assert.deepEqual(tablesOf(path), tablesOf(fresh));
      assert.equal(versionOf(path), versionOf(fresh));
    });

    it('keeps from then on what it knew nothing of, and is opened again as it is', async () => {
      await using state = await tempDir();
      const path = await journalOf(example, state.path);
      const request = { askedAt: 1, seenAt: 2, remindedAt: undefined };
      const asked = { ...nothingAwaited('ann@example.org', 'openai'), requests: [request] };
      {
        await using journal = openSqliteJournal(path);
        await journal.record({ awaited: asked, told: [TOLD] });
      }
      await using journal = openSqliteJournal(path);
      assert.deepEqual(await journal.awaited(), [asked]);
      assert.deepEqual(await journal.toldOf(TOLD.subject), TOLD);
    });

    it('is opened by two processes at once', async () => {
      await using state = await tempDir();
      const path = await journalOf(example, state.path);
      const writers = [0, 1].map((first) =>
        fork(new URL('./journal-writer.ts', import.meta.url), [path, String(first * 1_000)]),
      );
      for (const writer of writers) {
        await once(writer, 'message');
        writer.kill('SIGKILL');
        await once(writer, 'exit');
      }
      assert.ok(Number(versionOf(path)) > version);
    });
  });
}

describe('The journal file', () => {
  it('is private, and so are the files that SQLite puts beside it', async () => {
    await using state = await tempDir();
    await using journal = openSqliteJournal(join(state.path, 'journal.sqlite'));
    await journal.record({ captures: [noticeCapture()] });
    const names = (await readdir(state.path)).sort();
    assert.deepEqual(names, ['journal.sqlite', 'journal.sqlite-shm', 'journal.sqlite-wal']);
    for (const name of names) assert.equal((await stat(join(state.path, name))).mode & 0o777, 0o600, name);
  });

  it('that a newer Chatkeep has written is refused in a plain sentence, and left as it is', async () => {
    await using state = await tempDir();
    const path = join(state.path, 'journal.sqlite');
    const newer = new DatabaseSync(path);
    newer.exec('CREATE TABLE things (id TEXT); INSERT INTO things VALUES (1); PRAGMA user_version = 7');
    newer.close();
    assert.throws(
      () => openSqliteJournal(path),
      (error) => {
        assert.ok(error instanceof ChatkeepError);
        assert.equal(error.class, 'storage');
        assert.equal(
          error.message,
          `The journal ${path} was written by a newer Chatkeep (version 7; this one reads up to 4).`,
        );
        assert.match(error.next, /^Use the newer Chatkeep/);
        return true;
      },
    );
    assert.deepEqual(await openFilesBelow(state.path), []);
    using same = new DatabaseSync(path);
    assert.equal(same.prepare('SELECT count(*) AS n FROM things').get()?.n, 1);
  });

  for (const [what, content] of [
    ['is no database at all', Buffer.from('This is not a database, and never was one.'.repeat(200))],
    ['was cut off', Buffer.from(`SQLite format 3\0${'\x10\x00\x02\x02'.repeat(30)}`, 'latin1')],
  ] as const) {
    it(`that ${what} is refused with the way out of it`, async () => {
      await using state = await tempDir();
      const path = join(state.path, 'journal.sqlite');
      await writeFile(path, content);
      assert.throws(
        () => openSqliteJournal(path),
        (error) => {
          assert.ok(error instanceof ChatkeepError);
          assert.equal(error.class, 'storage');
          assert.ok(error.message.startsWith(`Could not open the journal ${path}: `), error.message);
          assert.match(error.next, /move it away: no snapshot is lost/);
          return true;
        },
      );
      assert.deepEqual(await openFilesBelow(state.path), []);
    });
  }

  it('in a directory that does not exist is refused as a matter of storage', async () => {
    await using state = await tempDir();
    assert.throws(() => openSqliteJournal(join(state.path, 'nowhere', 'journal.sqlite')), { class: 'storage' });
  });
});

/** A journal that was opened, and of which not one page can be read any more: as on a disk that has begun to die. */
async function brokenWhileOpen(path: string, damage: (file: FileHandle, bytes: number) => Promise<unknown>) {
  const journal = openSqliteJournal(path);
  await journal.record({ captures: [noticeCapture()] });
  {
    // What another process has written is read anew.
    await using other = openSqliteJournal(path);
    await other.record({ captures: [noticeCapture(END_STATES.expired, { id: 'other', exportId: 'other' })] });
  }
  await using file = await open(path, 'r+');
  await damage(file, (await file.stat()).size);
  return journal;
}

describe('A journal that breaks while it is open', () => {
  for (const [what, damage] of [
    ['below its first page', (file, bytes) => file.write(Buffer.alloc(bytes - 4096, 0xff), 0, bytes - 4096, 4096)],
    ['at its beginning', (file) => file.write('no database any more')],
  ] as const satisfies [string, Parameters<typeof brokenWhileOpen>[1]][]) {
    it(`${what} is trouble of the storage, with the way out of it, in whatever is asked of it`, async () => {
      await using state = await tempDir();
      const path = join(state.path, 'journal.sqlite');
      await using journal = await brokenWhileOpen(path, damage);
      for (const use of [
        () => journal.openCaptures(),
        () => journal.capture('a1b2c3d4e5f6'),
        () => journal.unseen('ann@example.org', 'INBOX', '1', [1]),
        () => journal.record({ captures: [noticeCapture(OPEN_STATES.downloading)] }),
      ]) {
        await assert.rejects(use, (error) => {
          assert.ok(error instanceof ChatkeepError);
          assert.equal(error.class, 'storage');
          assert.ok(error.message.startsWith(`Could not use the journal ${path}: `), error.message);
          assert.match(error.next, /move it away: no snapshot is lost/);
          return true;
        });
      }
    });
  }
});

describe('The link of a capture', () => {
  it('is in no byte of the files once the capture has ended, however often it was recorded', async () => {
    await using state = await tempDir();
    await using journal = openSqliteJournal(join(state.path, 'journal.sqlite'));
    const secretOf = (n: number) => `5ec2e7-${n}-`.padEnd(40 + ((n * 397) % 6000), 'x');
    const captureOf = (n: number) => ({
      id: `capture-${n}`,
      exportId: `export-${n}`,
      origin: { link: new Secret(secretOf(n)) },
    });
    for (let n = 0; n < 60; n += 1) {
      for (const state of [OPEN_STATES.found, OPEN_STATES.downloading, OPEN_STATES['needs-login']]) {
        await journal.record({ captures: [noticeCapture(state, captureOf(n))] });
      }
    }
    assert.match(await bytesBelow(state.path), /5ec2e7-7-x/);
    for (let n = 0; n < 60; n += 1) {
      await journal.record({
        captures: [noticeCapture(END_STATES.expired, { ...captureOf(n), origin: { link: undefined } })],
        notifications: [{ message: someMessage(), recipients: ['ntfy'] }],
      });
      assert.doesNotMatch(await bytesBelow(state.path), new RegExp(`5ec2e7-${n}-`));
    }
    assert.doesNotMatch(await bytesBelow(state.path), /5ec2e7/);
  });
});

/** Kills a process that writes into the journal, again and again, and looks at what it leaves each time. */
async function killWriters(path: string, kills: number): Promise<void> {
  let told = -1;
  for (let kill = 0; kill < kills; kill += 1) {
    const writer = fork(new URL('./journal-writer.ts', import.meta.url), [path, String(told + 1)]);
    const exited = once(writer, 'exit');
    // At another moment of its work each time.
    const enough = told + 1 + ((kill * 7) % 23);
    await new Promise<void>((resolve, reject) => {
      exited.then(() => reject(new Error('the writer ended by itself')), reject);
      writer.on('message', (n) => {
        told = Number(n);
        if (told >= enough) resolve();
      });
    });
    writer.kill('SIGKILL');
    await exited;

    using database = new DatabaseSync(path, { readOnly: true });
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
    await using journal = openSqliteJournal(path);
    const captures = await journal.endedCaptures(Number.MAX_SAFE_INTEGER);
    // One more may be recorded than told of; each with its notification, or neither.
    assert.ok(captures.length === told + 1 || captures.length === told + 2, `${captures.length} of ${told + 1}`);
    assert.equal((await journal.undelivered()).count, captures.length);
    told = captures.length - 1;
  }
}

describe('A process that is killed while it writes', () => {
  it('leaves a journal that is whole, with everything that it had told of', { timeout: 120_000 }, async () => {
    await using state = await tempDir();
    const paths = ['one.sqlite', 'two.sqlite'].map((name) => join(state.path, name));
    await Promise.all(paths.map((path) => killWriters(path, 10)));
  });
});
