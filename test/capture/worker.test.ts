import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { CaptureState } from '../../src/capture/capture.ts';
import type { Journal, JournalEntry } from '../../src/capture/journal.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { listSnapshots, type SnapshotMetadata } from '../../src/snapshot/index.ts';
import { rawZip } from '../support/raw-zip.ts';
import { TEST_START_MS } from '../support/virtual-clock.ts';
import { DEADLINE_MS, EXPORT_ID, LINK } from './examples.ts';
import { bringing, EXPORT_FILES, READY, Workshop, wantsLogin, withMethods } from './workshop.ts';

/** Notes the states that go through the journal. */
function noting(states: CaptureState['name'][]): (real: Journal) => Journal {
  return (real) =>
    withMethods(real, {
      record: async (entry: JournalEntry) => {
        await real.record(entry);
        states.push(...(entry.captures ?? []).map(({ state }) => state.name));
      },
    });
}

const TWO_MESSAGES = JSON.stringify([
  {
    id: 'c',
    current_node: 'b',
    mapping: Object.fromEntries(
      ['a', 'b'].map((id) => [
        id,
        {
          parent: id === 'b' ? 'a' : null,
          message: { author: { role: 'user' }, content: { content_type: 'text', parts: [id] } },
        },
      ]),
    ),
  },
]);

async function onlySnapshot({ backups }: Workshop): Promise<SnapshotMetadata> {
  const [snapshot, ...more] = (await listSnapshots(backups.path)).snapshots;
  assert.ok(snapshot !== undefined && more.length === 0);
  return snapshot.meta;
}

describe('The work on a capture', () => {
  it('goes from the link to the snapshot, and every state on the way is recorded', async () => {
    const states: CaptureState['name'][] = [];
    await using workshop = await Workshop.open({ journal: noting(states) });
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    const { state, origin } = await workshop.untilTidy('committed');
    // The last is the one that has nothing left to delete.
    assert.deepEqual(states, ['found', 'downloading', 'unpacking', 'committed', 'committed']);
    assert.equal(origin.kind === 'notice' && origin.link, undefined);
    assert.equal(state.name === 'committed' && state.leftover, undefined);
  });

  it('leaves the files as they were in the archive, a message, and nothing else', async () => {
    await using workshop = await Workshop.open();
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    await workshop.untilTidy('committed');
    const snapshot = join(workshop.backups.path, 'ann@example.org', '2026-11-21T185533Z');
    for (const [name, content] of Object.entries(EXPORT_FILES)) {
      assert.equal(await readFile(join(snapshot, name), 'utf8'), content);
    }
    assert.deepEqual(await readdir(workshop.downloads), []);
    assert.deepEqual(await readdir(join(workshop.backups.path, '.chatkeep', 'staging')), []);
    const [message, ...more] = await workshop.told();
    assert.deepEqual([message?.event, message?.data.files, more.length], ['snapshot-committed', 3, 0]);
    assert.equal(message?.data.bytes, Object.values(EXPORT_FILES).join('').length);
  });

  it('asks the downloader for the export of the notice, until its deadline', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    const { id } = await workshop.untilState('needs-login');
    const [request] = workshop.requests;
    assert.deepEqual(
      [request?.link.reveal(), request?.exportId, request?.deadline, request?.directory, request?.name],
      [LINK, EXPORT_ID, DEADLINE_MS, workshop.downloads, id],
    );
  });

  it('tells how many files are the same as in the snapshot before', async () => {
    await using workshop = await Workshop.open();
    await workshop.dropIn(await workshop.archive('a.zip', undefined, Date.UTC(2026, 9, 1)), 'a.zip');
    await workshop.untilTidy('committed');
    workshop.download = bringing(await workshop.archive('b.zip', { ...EXPORT_FILES, 'chat.html': '<html>new</html>' }));
    await workshop.mail();
    await workshop.until('both are kept', async () => (await workshop.told()).length === 2);
    assert.equal((await workshop.told())[1]?.data.unchangedFiles, 2);
  });
});

describe('What is in an export', () => {
  it('is counted, in the snapshot and in the message', async () => {
    await using workshop = await Workshop.open();
    workshop.download = bringing(
      await workshop.archive('a.zip', { ...EXPORT_FILES, 'conversations-000.json': TWO_MESSAGES }),
    );
    await workshop.mail();
    await workshop.untilTidy('committed');
    const { counts, findings } = await onlySnapshot(workshop);
    assert.deepEqual([counts.conversations, counts.messages, findings], [1, 2, []]);
    const [message] = await workshop.told();
    assert.deepEqual([message?.level, message?.data.conversations, message?.data.messages], ['success', 1, 2]);
    assert.match(message?.body ?? '', /: 1 conversation with 2 messages in 3 files, /);
  });

  it('and what is amiss in it is told, and it is kept', async () => {
    await using workshop = await Workshop.open();
    const manifest = JSON.stringify({ export_files: [{ path: 'file-1-My diary.pdf', size_bytes: 3 }] });
    const files = {
      ...EXPORT_FILES,
      'conversations-000.json': `${TWO_MESSAGES.slice(0, -1)},{"id"`,
      'export_manifest.json': manifest,
    };
    workshop.download = bringing(await workshop.archive('a.zip', files));
    await workshop.mail();
    await workshop.untilTidy('committed');
    const { findings } = await onlySnapshot(workshop);
    assert.deepEqual(findings, [
      '1 file with conversations ends too early (conversations-000.json).',
      "1 file that the export's own list names is not in it (file-1-My diary.pdf).",
      '1 conversation could not be read, being cut off (conversations-000.json no. 2).',
    ]);
    const [message] = await workshop.told();
    assert.deepEqual([message?.event, message?.level], ['snapshot-committed', 'warning']);
    assert.match(message?.body ?? '', /1 file that its own list names is missing.*1 conversation could not be read/);
    assert.doesNotMatch(JSON.stringify(message), /diary/);
  });

  it('is counted from the export as it is committed, and not at all of one that is kept already', async () => {
    await using workshop = await Workshop.open();
    const { summarize } = workshop;
    const read: string[][] = [];
    workshop.summarize = async (directory, signal) => {
      read.push((await readdir(directory)).sort());
      return summarize(directory, signal);
    };
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    await workshop.untilTidy('committed');
    assert.deepEqual(read, [Object.keys(EXPORT_FILES).sort()]);
    const again = await workshop.dropIn(await workshop.archive('a.zip'), 'a.zip');
    await workshop.untilTidy('duplicate', again);
    assert.equal(read.length, 1);
    assert.equal((await onlySnapshot(workshop)).files, 3);
  });

  it('never fails the backup, even if reading it does', async () => {
    await using workshop = await Workshop.open();
    workshop.summarize = async () => Promise.reject(new Error('The reader has a fault.'));
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    await workshop.untilTidy('committed');
    const { counts, findings } = await onlySnapshot(workshop);
    assert.deepEqual([counts, findings.length], [{}, 1]);
    const [message] = await workshop.told();
    assert.match(message?.body ?? '', /: 3 files, /);
  });
});

describe('An export in which nothing has changed', () => {
  const notBefore = async (workshop: Workshop) => {
    await workshop.dropIn(await workshop.archive('a.zip', undefined, Date.UTC(2026, 9, 1)), 'a.zip');
    await workshop.untilTidy('committed');
    workshop.download = bringing(await workshop.archive('b.zip'));
  };

  it('ends as unchanged, is told, and leaves neither a snapshot nor its archive', async () => {
    await using workshop = await Workshop.open();
    await notBefore(workshop);
    await workshop.mail();
    await workshop.until('it has ended', async () => (await workshop.toldEvents()).length === 2);
    assert.deepEqual(await workshop.toldEvents(), ['snapshot-committed', 'unchanged']);
    await workshop.until('it is tidied up', async () => (await workshop.journal.untidyCaptures()).length === 0);
    assert.deepEqual(await workshop.snapshots(), ['ann@example.org/2026-10-01T000000Z']);
    assert.deepEqual(await readdir(workshop.downloads), []);
  });

  it('is not read for what is in it: that is known of the snapshot', async () => {
    await using workshop = await Workshop.open();
    const { summarize } = workshop;
    let read = 0;
    workshop.summarize = (directory, signal) => {
      read += 1;
      return summarize(directory, signal);
    };
    await notBefore(workshop);
    assert.equal(read, 1);
    await workshop.mail();
    await workshop.until('it has ended', async () => (await workshop.toldEvents()).length === 2);
    assert.deepEqual(await workshop.toldEvents(), ['snapshot-committed', 'unchanged']);
    assert.equal(read, 1);
  });

  it('is told once, and not unpacked again, when the process died before the journal knew of it', async () => {
    const isNews = ({ captures }: JournalEntry) => captures?.some(({ state }) => state.name === 'unchanged') === true;
    await using workshop = await Workshop.open({
      journal: (real) =>
        withMethods(real, {
          record: async (entry: JournalEntry) => {
            if (isNews(entry)) throw new Error('the process is killed');
            return real.record(entry);
          },
        }),
    });
    await notBefore(workshop);
    await workshop.mail();
    const isOnRecord = async () => (await listSnapshots(workshop.backups.path)).unchanged.length === 1;
    await workshop.until('it is on record in the backup directory', isOnRecord);
    await workshop.stop();
    await workshop.start({
      backups: (real) => withMethods(real, { createStaging: () => assert.fail('unpacked again') }),
    });
    await workshop.until('it is told', async () => (await workshop.toldEvents()).includes('unchanged'));
    assert.deepEqual(await workshop.toldEvents(), ['snapshot-committed', 'unchanged']);
    assert.equal((await listSnapshots(workshop.backups.path)).unchanged.length, 1);
  });
});

describe('An archive that was downloaded', () => {
  it('and is unsafe goes into quarantine, and the capture ends', async () => {
    await using workshop = await Workshop.open();
    const unsafe = join(workshop.directory, 'unsafe.zip');
    const bytes = rawZip([{ name: '../../../etc/cron.d/x', content: 'mine' }]);
    await writeFile(unsafe, bytes);
    workshop.download = bringing(unsafe);
    await workshop.mail();
    const { state } = await workshop.untilTidy('refused');
    assert.ok(state.name === 'refused' && state.kept !== undefined);
    assert.match(state.reason, /etc\/cron\.d\/x/);
    assert.equal(join(state.kept, '..'), join(workshop.backups.path, '.chatkeep', 'quarantine'));
    assert.deepEqual(await readFile(state.kept), bytes);
    assert.deepEqual(await workshop.toldEvents(), ['refused-archive']);
    assert.deepEqual([await workshop.snapshots(), await readdir(workshop.downloads)], [[], []]);
    assert.equal(workshop.requests.length, 1);
  });

  it('and is damaged is fetched again, and kept aside', async () => {
    await using workshop = await Workshop.open();
    const whole = await workshop.archive('a.zip');
    const cut = join(workshop.directory, 'cut.zip');
    await writeFile(cut, (await readFile(whole)).subarray(0, 100));
    workshop.download = bringing(cut);
    await workshop.mail();
    await workshop.untilState('waiting');
    workshop.download = bringing(whole);
    await workshop.clock.advance(MINUTE_MS);
    await workshop.untilTidy('committed');
    assert.deepEqual(await workshop.toldEvents(), ['refused-archive', 'snapshot-committed']);
    assert.equal((await readdir(join(workshop.backups.path, '.chatkeep', 'quarantine'))).length, 1);
  });

  it('and is damaged three times ends the capture, with all three kept', async () => {
    await using workshop = await Workshop.open();
    const cut = join(workshop.directory, 'cut.zip');
    await writeFile(cut, (await readFile(await workshop.archive('a.zip'))).subarray(0, 100));
    workshop.download = bringing(cut);
    await workshop.mail();
    for (let round = 1; round <= 3; round += 1) {
      await workshop.until(`download ${round} is refused`, async () => (await workshop.told()).length >= round);
      await workshop.clock.advance(5 * MINUTE_MS);
    }
    await workshop.untilState('refused');
    assert.equal(workshop.requests.length, 3);
    assert.equal((await readdir(join(workshop.backups.path, '.chatkeep', 'quarantine'))).length, 3);
  });
});

describe('A refusal whose record failed', () => {
  for (const [what, content, ending] of [
    ['unsafe', rawZip([{ name: '../x', content: 'mine' }]), 'refused'],
    ['damaged', Buffer.from('PK\x03\x04 and then nothing'), 'waiting'],
  ] as const) {
    it(`of ${what} is found out again from the archive in quarantine, and is recorded with its place`, async () => {
      const isRefusal = ({ captures }: JournalEntry) => captures?.some(({ state }) => state.name === ending) === true;
      await using workshop = await Workshop.open({
        journal: (real) =>
          withMethods(real, {
            record: async (entry: JournalEntry) => {
              if (isRefusal(entry)) throw new Error('the process is killed');
              return real.record(entry);
            },
          }),
      });
      const bad = join(workshop.directory, 'bad.zip');
      await writeFile(bad, content);
      workshop.download = bringing(bad);
      await workshop.mail();
      const quarantine = join(workshop.backups.path, '.chatkeep', 'quarantine');
      await workshop.until('it is put aside', async () => (await readdir(quarantine)).length > 0);
      await workshop.stop();
      await workshop.start({});
      const { id } = await workshop.untilState(ending);
      const [message, ...more] = await workshop.told();
      assert.deepEqual([message?.event, more.length], ['refused-archive', 0]);
      assert.equal(message?.data.kept, join(quarantine, `${id}.zip`));
      assert.doesNotMatch(message?.body ?? '', /was gone/);
      assert.deepEqual(await readdir(quarantine), [`${id}.zip`]);
      assert.equal(workshop.requests.length, 1);
    });
  }
});

describe('An archive of a person that is unsafe', () => {
  it('stays where it is, as it is', async () => {
    await using workshop = await Workshop.open();
    const unsafe = join(workshop.directory, 'unsafe.zip');
    const bytes = rawZip([{ name: '/etc/passwd', content: 'mine' }]);
    await writeFile(unsafe, bytes);
    await workshop.dropIn(unsafe, 'unsafe.zip');
    const { state } = await workshop.untilState('refused');
    assert.equal(state.name === 'refused' && state.kept, join(workshop.drop, 'unsafe.zip'));
    assert.deepEqual(await readFile(join(workshop.drop, 'unsafe.zip')), bytes);
    assert.deepEqual(await readdir(join(workshop.backups.path, '.chatkeep', 'quarantine')), []);
  });
});

describe('Trouble with the storage', () => {
  it('makes the capture wait and go on by itself, and is told once', async () => {
    let refusals = 3;
    await using workshop = await Workshop.open({
      backups: (real) =>
        withMethods(real, {
          createStaging: async (id) => {
            refusals -= 1;
            if (refusals >= 0)
              throw new ChatkeepError('storage', 'Could not make the staging directory: the disk is full.');
            return real.createStaging(id);
          },
        }),
    });
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    const { state } = await workshop.untilState('waiting');
    assert.deepEqual(state.name === 'waiting' && [state.next.name, state.until - TEST_START_MS], [
      'unpack',
      3 * SECOND_MS,
    ]);
    for (let round = 1; round <= 3; round += 1) {
      await workshop.until('it was tried', () => refusals <= 3 - round);
      await workshop.until('nothing runs', () => workshop.conductor.progress.size === 0);
      await workshop.clock.advance(5 * MINUTE_MS);
    }
    await workshop.untilTidy('committed');
    assert.deepEqual(await workshop.toldEvents(), ['trouble', 'snapshot-committed']);
    assert.equal(workshop.requests.length, 1);
  });

  it('while downloading makes the capture wait for another attempt', async () => {
    await using workshop = await Workshop.open();
    workshop.download = async () => {
      throw new ChatkeepError('storage', 'Could not write the download: the disk is full.');
    };
    await workshop.mail();
    const { state } = await workshop.untilState('waiting');
    assert.deepEqual(state.name === 'waiting' && state.next, { name: 'download' });
    assert.deepEqual(await workshop.toldEvents(), ['trouble']);
  });
});

describe('What the file system refuses outside of downloading, unpacking and committing', () => {
  it('is trouble of the storage, too, and names the path: the archive cannot be looked for', async () => {
    await using workshop = await Workshop.open();
    const noDirectory = join(workshop.directory, 'a file');
    await writeFile(noDirectory, '');
    const path = join(noDirectory, 'export.zip');
    workshop.download = async () => ({ kind: 'whole', path, bytes: 1 });
    await workshop.mail();
    const { state, trouble } = await workshop.untilState('waiting');
    assert.equal(
      state.name === 'waiting' && state.reason,
      `Could not use ${path}: a part of the path is not a directory.`,
    );
    assert.equal(trouble?.kind, 'storage');
    const [message] = await workshop.told();
    assert.equal(message?.title.startsWith('A ChatGPT export cannot be stored'), true, message?.title);
  });

  for (const [code, words] of [
    ['EIO', 'the disk reports an input/output error'],
    ['EACCES', 'permission is denied'],
    ['ENOSPC', 'the disk is full'],
  ] as const) {
    it(`is trouble of the storage, too, and names the directory: ${code}, of no path`, async () => {
      await using workshop = await Workshop.open();
      workshop.download = async () => {
        throw Object.assign(new Error(`${code}: said by the system, read`), { code });
      };
      await workshop.mail();
      const { state, trouble } = await workshop.untilState('waiting');
      assert.equal(state.name === 'waiting' && state.reason, `Could not use ${workshop.downloads}: ${words}.`);
      assert.equal(trouble?.kind, 'storage');
    });
  }
});

describe('An unexpected error', () => {
  it('makes the capture wait, and is told without addresses', async () => {
    await using workshop = await Workshop.open();
    workshop.download = async ({ link }) => {
      throw new TypeError(`cannot read ${link.reveal()}`);
    };
    await workshop.mail();
    const { state } = await workshop.untilState('waiting');
    assert.equal(
      state.name === 'waiting' && state.reason,
      'An unexpected error: cannot read https://chatgpt.com/[redacted].',
    );
    assert.deepEqual(await workshop.toldEvents(), ['trouble']);
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.clock.advance(HOUR_MS);
    await workshop.untilTidy('committed');
  });
});

describe('A snapshot whose record failed', () => {
  it('is found and recorded at the next try, and told once', async () => {
    let failures = 1;
    await using workshop = await Workshop.open({
      journal: (real) =>
        withMethods(real, {
          record: async (entry: JournalEntry) => {
            const commits = entry.captures?.some(({ state }) => state.name === 'committed');
            if (commits && failures > 0) {
              failures -= 1;
              throw new Error('disk I/O error');
            }
            return real.record(entry);
          },
        }),
    });
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    await workshop.until('the record has failed', () => failures === 0);
    await workshop.clock.advance(MINUTE_MS);
    await workshop.untilTidy('committed');
    assert.deepEqual(await workshop.toldEvents(), ['snapshot-committed']);
    assert.equal((await workshop.snapshots()).length, 1);
    assert.deepEqual(await readdir(workshop.downloads), []);
  });
});

describe('What an ended capture has left', () => {
  it('and cannot be deleted does not keep it from having ended', async () => {
    await using workshop = await Workshop.open({
      // In place of a file on a read-only share: what is at the path cannot be deleted as a file.
      backups: (real) =>
        withMethods(real, {
          commit: async (draft) => {
            const result = await real.commit(draft);
            await rm(join(workshop.drop, 'a.zip'));
            await mkdir(join(workshop.drop, 'a.zip'));
            return result;
          },
        }),
    });
    await workshop.dropIn(await workshop.archive('a.zip'), 'a.zip');
    await workshop.untilState('committed');
    assert.equal((await workshop.journal.untidyCaptures()).length, 1);
    await workshop.stop();
    await workshop.start({});
    await workshop.dropIn(await workshop.archive('b.zip', { 'chat.html': 'b' }, Date.UTC(2026, 1, 1)), 'b.zip');
    await workshop.until('the next one is kept', async () => (await workshop.snapshots()).length === 2);
  });

  it('is a whole download, when the archive was handed in while that lay there', async () => {
    await using workshop = await Workshop.open();
    workshop.download = async ({ directory, name }) => {
      await writeFile(join(directory, `${name}.zip.part`), 'half of it');
      return { kind: 'needs-login', detail: 'No login will do.' };
    };
    await workshop.mail(READY);
    const { id } = await workshop.untilState('needs-login');
    await writeFile(join(workshop.downloads, `${id}.zip`), 'all of it');
    await workshop.dropIn(await workshop.archive('a.zip'), `${EXPORT_ID}.zip`);
    await workshop.untilTidy('committed');
    await workshop.until('all is deleted', async () => (await readdir(workshop.downloads)).length === 0);
  });
});
