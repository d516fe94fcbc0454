import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { whenSettled } from '../../src/capture/index.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS, systemClock } from '../../src/lib/clock.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { settle, TEST_START_MS } from '../support/virtual-clock.ts';
import { DEADLINE_MS, END_STATES, fileCapture, noticeCapture } from './examples.ts';
import { bringing, EXPORT_FILES, READY, stalled, Workshop, wantsLogin, withMethods } from './workshop.ts';

describe('A capture that needs a login', () => {
  it('is tried at once when a login has changed', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    await workshop.untilState('needs-login');
    await workshop.clock.advance(10 * SECOND_MS);
    assert.equal(workshop.requests.length, 1);

    workshop.download = bringing(await workshop.archive('a.zip'));
    workshop.logins = 'renewed login';
    await workshop.clock.advance(2 * SECOND_MS);
    await workshop.untilTidy('committed');
    assert.equal(workshop.requests.length, 2);
    assert.deepEqual(await workshop.toldEvents(), ['needs-login', 'snapshot-committed']);
  });

  it('is tried once more when the login changed while it was being tried', async () => {
    await using workshop = await Workshop.open();
    workshop.download = async (request) => {
      workshop.logins = 'renewed login';
      workshop.download = bringing(archive);
      return wantsLogin(request);
    };
    const archive = await workshop.archive('a.zip');
    await workshop.mail();
    await workshop.until('it was tried', () => workshop.requests.length > 0);
    await workshop.clock.advance(2 * SECOND_MS);
    await workshop.untilTidy('committed');
  });

  it('is tried every quarter of an hour when no login changes', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    await workshop.untilState('needs-login');
    await workshop.clock.advance(15 * MINUTE_MS - 2 * SECOND_MS);
    assert.equal(workshop.requests.length, 1);
    await workshop.clock.advance(4 * SECOND_MS);
    await workshop.until('it was tried again', () => workshop.requests.length === 2);
    await workshop.untilState('needs-login');
    assert.deepEqual(await workshop.toldEvents(), ['needs-login']);
  });
});

describe('A capture that waits for a login as its deadline comes near', () => {
  it('is told of at once and with an hour left, and a restart repeats nothing', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail({ ...READY, deadline: TEST_START_MS + 70 * MINUTE_MS });
    const settled = async (): Promise<void> => {
      await workshop.until('the work has stopped', async () =>
        (await workshop.captures()).every(({ state }) => state.name === 'needs-login' || state.name === 'expired'),
      );
    };
    for (let minute = 0; minute <= 71; minute += 1) {
      await settled();
      if (minute % 20 === 12) {
        await workshop.stop();
        await workshop.start();
        await settled();
      }
      await workshop.clock.advance(MINUTE_MS);
    }
    await workshop.untilState('expired');
    const told = await workshop.told();
    assert.deepEqual(
      told.map(({ event }) => event),
      ['needs-login', 'needs-login', 'expired'],
    );
    const reminded = Math.floor(((told[1]?.at ?? 0) - TEST_START_MS) / MINUTE_MS);
    // The clock may have gone on by the time that the word is recorded.
    assert.ok(reminded >= 10 && reminded < 12, `after ${reminded} min`);
  });

  it('is told of although as many downloads run as may', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail({ ...READY, deadline: TEST_START_MS + 72 * MINUTE_MS });
    const waiting = await workshop.untilState('needs-login');
    workshop.download = stalled;
    for (let n = 0; n < 3; n += 1) await workshop.mail({ ...READY, exportId: `ab${n}-2026-11-21-18-55-33` });
    await workshop.until('three downloads run', () => workshop.requests.length === 4);
    await workshop.clock.advance(11 * MINUTE_MS);
    assert.equal((await workshop.told()).length, 1);
    await workshop.clock.advance(MINUTE_MS + 2 * SECOND_MS);
    await workshop.until('it is told', async () => (await workshop.told()).length === 2);
    assert.equal((await workshop.told())[1]?.data.capture, waiting.id);
  });
});

describe('A deadline', () => {
  it('that passes while a login is needed ends the capture, and that is told', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail({ ...READY, deadline: TEST_START_MS + 20 * MINUTE_MS });
    await workshop.untilState('needs-login');
    for (let minute = 0; minute < 21; minute += 1) {
      await workshop.clock.advance(MINUTE_MS);
      await workshop.until(
        'the work has stopped',
        async () => (await workshop.captures())[0]?.state.name !== 'downloading',
      );
    }
    const { state, origin } = await workshop.untilState('expired');
    assert.ok(state.name === 'expired' && state.at >= TEST_START_MS + 20 * MINUTE_MS);
    assert.equal(origin.kind === 'notice' && origin.link, undefined);
    assert.deepEqual(await workshop.toldEvents(), ['needs-login', 'expired']);
    assert.match((await workshop.told())[1]?.body ?? '', /Tried 3 times since .*: No login will do\./);
    // The first, a quarter of an hour later, and a minute before the end.
    assert.equal(workshop.requests.length, 3);
  });

  it('that passed while the service was down ends the capture at the start', async () => {
    await using workshop = await Workshop.open();
    await workshop.mail();
    await workshop.untilState('downloading');
    await workshop.stop();
    workshop.download = async () => ({ kind: 'expired', detail: 'The link has died.' });
    await workshop.clock.advance(DEADLINE_MS - TEST_START_MS);
    await workshop.start();
    await workshop.untilState('expired');
    assert.deepEqual(await workshop.toldEvents(), ['expired']);
  });
});

describe('A service that is stopped', () => {
  it('leaves the capture in a state that the next start goes on from', async () => {
    await using workshop = await Workshop.open();
    workshop.download = stalled;
    await workshop.mail();
    await workshop.until('the download runs', () => workshop.requests.length === 1);
    await workshop.stop();
    assert.equal(workshop.requests[0]?.signal.aborted, true);
    {
      await using journal = workshop.openJournal();
      assert.equal((await journal.openCaptures())[0]?.state.name, 'downloading');
    }

    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.start();
    await workshop.untilTidy('committed');
    assert.deepEqual(await workshop.toldEvents(), ['snapshot-committed']);
  });

  it('leaves no part of a snapshot when it was unpacking', async () => {
    let unpacks = 0;
    let unpacking = () => {};
    const begun = new Promise<void>((resolve) => {
      unpacking = resolve;
    });
    await using workshop = await Workshop.open({
      backups: (real) =>
        withMethods(real, {
          createStaging: async (id) => {
            unpacks += 1;
            const staging = await real.createStaging(id);
            unpacking();
            // The service is stopped in the meantime.
            if (unpacks === 1) await new Promise((resolve) => setTimeout(resolve, 20));
            return staging;
          },
        }),
    });
    await workshop.dropIn(await workshop.archive('a.zip'), 'a.zip');
    await begun;
    await workshop.stop();
    await workshop.start();
    await workshop.untilTidy('committed');
    assert.equal(unpacks, 2);
    assert.equal((await workshop.snapshots()).length, 1);
  });
});

describe('The start of the service', () => {
  it('leaves a file alone that has taken the place of one that was kept', async () => {
    await using workshop = await Workshop.open();
    await workshop.stop();
    const path = join(workshop.drop, 'export.zip');
    await writeFile(path, 'another export, saved under the same name');
    const leftover = { path, sha256: sha256('the export that was kept') };
    {
      await using journal = workshop.openJournal();
      await journal.record({ captures: [fileCapture({ ...END_STATES.committed, leftover }, { id: 'untidy' })] });
    }
    await workshop.start();
    await using journal = workshop.openJournal();
    await workshop.until('the capture is tidy', async () => (await journal.untidyCaptures()).length === 0);
    assert.deepEqual(await readdir(workshop.drop), ['export.zip']);
  });

  it('deletes what an earlier run has left, and what still belongs to a capture is kept', async () => {
    await using workshop = await Workshop.open();
    await workshop.stop();
    const path = join(workshop.drop, 'kept.zip');
    await writeFile(path, 'its content is safe');
    const leftover = { path, sha256: sha256('its content is safe') };
    for (const name of [
      'a1b2c3d4e5f6.zip.part',
      'a1b2c3d4e5f6.zip.part.json',
      '0badcafe0bad.zip',
      '0badcafe0bad.zip.part',
    ]) {
      await writeFile(join(workshop.downloads, name), 'x');
    }
    {
      await using journal = workshop.openJournal();
      await journal.record({
        captures: [noticeCapture(), fileCapture({ ...END_STATES.committed, leftover }, { id: 'untidy' })],
      });
    }
    await workshop.start();
    await workshop.until('the leftover is deleted', async () => (await readdir(workshop.drop)).length === 0);
    await workshop.until('the strays are deleted', async () => (await readdir(workshop.downloads)).length === 2);
    assert.deepEqual((await readdir(workshop.downloads)).sort(), [
      'a1b2c3d4e5f6.zip.part',
      'a1b2c3d4e5f6.zip.part.json',
    ]);
    assert.deepEqual(await workshop.journal.untidyCaptures(), []);
  });

  it('is not hindered by what cannot be deleted', async () => {
    await using workshop = await Workshop.open();
    await workshop.stop();
    await workshop.start({
      journal: (real) =>
        withMethods(real, {
          untidyCaptures: async () => {
            throw new Error('disk I/O error');
          },
        }),
    });
    await workshop.dropIn(await workshop.archive('a.zip'), 'a.zip');
    await workshop.untilState('committed');
  });
});

describe('Several captures', () => {
  const notices = Array.from({ length: 5 }, (_, n) => ({ ...READY, exportId: `ab${n}-2026-11-21-18-55-33` }));

  it('are worked on three at a time, the oldest first', async () => {
    await using workshop = await Workshop.open();
    const finish = new Map<string, () => void>();
    workshop.download = ({ exportId }) =>
      new Promise((resolve) => {
        finish.set(exportId, () => resolve({ kind: 'needs-login', detail: 'No login will do.' }));
      });
    for (const notice of notices) {
      await workshop.mail(notice);
      await workshop.clock.advance(1);
    }
    await workshop.until('three downloads run', () => workshop.requests.length === 3);
    await workshop.clock.advance(MINUTE_MS);
    const ids = () => workshop.requests.map(({ exportId }) => exportId.slice(0, 3));
    assert.deepEqual(ids(), ['ab0', 'ab1', 'ab2']);
    finish.get(notices[1]?.exportId ?? '')?.();
    await workshop.until('the next one runs', () => workshop.requests.length === 4);
    assert.deepEqual(ids(), ['ab0', 'ab1', 'ab2', 'ab3']);
    for (const end of finish.values()) end();
    await workshop.until('the last one runs', () => workshop.requests.length === 5);
    finish.get(notices[4]?.exportId ?? '')?.();
    await workshop.until('nothing runs', async () =>
      (await workshop.captures()).every(({ state }) => state.name === 'needs-login'),
    );
  });

  it('of which one has little time left does not make it wait', async () => {
    await using workshop = await Workshop.open();
    workshop.download = stalled;
    for (const notice of notices) await workshop.mail(notice);
    await workshop.until('three downloads run', () => workshop.requests.length === 3);
    await workshop.mail({ ...READY, exportId: 'urgent', deadline: TEST_START_MS + 50 * MINUTE_MS });
    await workshop.until('the urgent one runs, too', () => workshop.requests.length === 4);
    assert.equal(workshop.requests[3]?.exportId, 'urgent');
  });

  it('that stand in line to be unpacked do not keep others from being downloaded', async () => {
    const opened = Promise.withResolvers<void>();
    await using workshop = await Workshop.open({
      backups: (real) =>
        withMethods(real, {
          createStaging: async (id) => {
            await opened.promise;
            return real.createStaging(id);
          },
        }),
    });
    for (let n = 0; n < 4; n += 1) {
      const files = { ...EXPORT_FILES, 'chat.html': `${n}` };
      await workshop.dropIn(await workshop.archive('a.zip', files, Date.UTC(2026, n, 1)), `${n}.zip`);
    }
    workshop.download = stalled;
    for (const notice of notices) await workshop.mail(notice);
    await workshop.until('three downloads run', () => workshop.requests.length === 3);
    opened.resolve();
    await workshop.until('all files are kept', async () => (await workshop.snapshots()).length === 4);
  });

  it('tell how far each of them is', async () => {
    await using workshop = await Workshop.open();
    workshop.download = (request) => {
      request.onProgress?.({ received: 5, total: 10 });
      return stalled(request);
    };
    await workshop.mail();
    const { id } = await workshop.untilState('downloading');
    await workshop.until('the progress is told', () => workshop.conductor.progress.size === 1);
    assert.deepEqual(workshop.conductor.progress.get(id), { phase: 'downloading', done: 5, total: 10 });
    await workshop.dropIn(await workshop.archive('a.zip'), `${READY.exportId}.zip`);
    await workshop.untilTidy('committed');
    await workshop.until('it is not told any more', () => workshop.conductor.progress.size === 0);
  });
});

describe('A journal that fails', () => {
  it('for a while does not end the conductor', async () => {
    let failing = false;
    let failures = 0;
    await using workshop = await Workshop.open({
      journal: (real) =>
        withMethods(real, {
          openCaptures: async () => {
            if (!failing) return real.openCaptures();
            failures += 1;
            throw new Error('disk I/O error');
          },
        }),
    });
    workshop.download = bringing(await workshop.archive('a.zip'));
    failing = true;
    await workshop.mail();
    await workshop.clock.advance(MINUTE_MS);
    assert.ok(failures > 10);
    failing = false;
    await workshop.clock.advance(2 * SECOND_MS);
    await workshop.untilTidy('committed');
  });

  it('is told of once, and once more when it works again', async (test) => {
    let failing = true;
    let looks = 0;
    await using workshop = await Workshop.open({
      journal: (real) =>
        withMethods(real, {
          pendingHandIns: async () => {
            looks += 1;
            if (failing) throw new Error('disk I/O error');
            return real.pendingHandIns();
          },
        }),
    });
    const told: unknown[] = [];
    test.mock.method(silentLogger, 'error', (_fields: unknown, message: unknown) => told.push(message));
    test.mock.method(silentLogger, 'info', (_fields: unknown, message: unknown) => told.push(message));
    const lookOften = async () => {
      const enough = looks + 5;
      await workshop.until('the journal is looked into', async () => {
        await workshop.clock.advance(2 * SECOND_MS);
        return looks >= enough;
      });
    };
    await lookOften();
    assert.deepEqual(told, ['the journal cannot be used; it is tried again']);
    failing = false;
    await lookOften();
    assert.deepEqual(told.slice(1), ['the journal can be used again']);
  });

  it('to take a record is tried ever less often, and the work is done once', async () => {
    let failing = true;
    let failures = 0;
    await using workshop = await Workshop.open({
      journal: (real) =>
        withMethods(real, {
          record: async (entry) => {
            const isWork = entry.captures?.some(({ state }) => state.name !== 'found');
            if (!failing || isWork !== true) return real.record(entry);
            failures += 1;
            throw new Error('database or disk is full');
          },
        }),
    });
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    await workshop.clock.advance(HOUR_MS);
    assert.ok(failures >= 10 && failures <= 100, `${failures} tries in an hour`);
    failing = false;
    await workshop.clock.advance(2 * MINUTE_MS);
    await workshop.untilTidy('committed');
    assert.equal(workshop.requests.length, 1);
  });
});

describe('A capture that ended after it was found to be due', () => {
  it('is not worked on again', async () => {
    await using workshop = await Workshop.open();
    const ended = noticeCapture({ ...END_STATES.committed, leftover: undefined }, { id: 'b' });
    const stale = noticeCapture({ name: 'found' }, { id: 'b' });
    await workshop.journal.record({ captures: [ended] });
    await workshop.stop();
    const lists = [[], [stale]];
    await workshop.start({
      journal: (real) => withMethods(real, { openCaptures: async () => lists.shift() ?? [] }),
    });
    await workshop.clock.advance(10 * SECOND_MS);
    await workshop.until('it was found to be due', () => lists.length === 0);
    await settle();
    assert.deepEqual(await workshop.journal.capture('b'), ended);
    assert.equal(workshop.requests.length, 0);
  });
});

describe('Waiting for the end of a capture', () => {
  it('ends with the capture as it ended', async () => {
    await using workshop = await Workshop.open();
    const id = await workshop.dropIn(await workshop.archive('a.zip'), 'a.zip');
    const capture = await whenSettled(workshop.journal, id, systemClock, AbortSignal.timeout(10_000));
    assert.equal(capture.state.name, 'committed');
  });

  it('ends when it is not wanted any more', async () => {
    await using workshop = await Workshop.open();
    await workshop.mail();
    const { id } = await workshop.untilState('downloading');
    const enough = new Error('enough');
    await assert.rejects(whenSettled(workshop.journal, id, systemClock, AbortSignal.abort(enough)), enough);
  });

  it('fails for a capture that there is not', async () => {
    await using workshop = await Workshop.open();
    await assert.rejects(whenSettled(workshop.journal, 'nobody', systemClock, AbortSignal.timeout(10_000)));
  });
});
