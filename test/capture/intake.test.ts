import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { whenSettled } from '../../src/capture/index.ts';
import { HOUR_MS, MINUTE_MS, systemClock } from '../../src/lib/clock.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import type { BackupDirectory } from '../../src/snapshot/index.ts';
import { TEST_START_MS } from '../support/virtual-clock.ts';
import { EXPORT_ID } from './examples.ts';
import { bringing, READY, stalled, Workshop, wantsLogin, withMethods } from './workshop.ts';

const NAMED = `${EXPORT_ID}.zip`;
const ANOTHER_ID = 'beef-2026-10-01-08-00-00';

describe('A message', () => {
  it('that an export is ready becomes a capture with all that is known of it', async () => {
    await using workshop = await Workshop.open();
    await workshop.mail();
    const [capture] = await workshop.captures();
    assert.ok(capture?.origin.kind === 'notice');
    assert.deepEqual(
      [capture.exportId, capture.exportTime, capture.foundAt, capture.origin.deadline, capture.origin.mailbox],
      [EXPORT_ID, READY.exportTime, TEST_START_MS, READY.deadline, 'ann@example.org'],
    );
    assert.deepEqual(await workshop.journal.unseen('ann@example.org', 'INBOX', '1', [1]), []);
  });

  it('about the same export a second time, in another folder, changes nothing', async () => {
    await using workshop = await Workshop.open();
    await workshop.mail();
    await workshop.mail(READY, { folder: 'Spam', uid: 9 });
    assert.equal((await workshop.captures()).length, 1);
    assert.deepEqual(await workshop.journal.unseen('ann@example.org', 'Spam', '1', [9]), []);
  });

  it('that two mailboxes bring at the same moment becomes one capture', async () => {
    await using workshop = await Workshop.open();
    await Promise.all([workshop.mail(READY, { mailbox: 'a' }), workshop.mail(READY, { mailbox: 'b' })]);
    assert.equal((await workshop.captures()).length, 1);
  });

  it('about an export that is a snapshot changes nothing, even when the journal was lost', async () => {
    await using workshop = await Workshop.open();
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    await workshop.untilTidy('committed');
    await workshop.stop();
    for (const name of await readdir(join(workshop.directory, 'state'))) {
      if (name.startsWith('journal')) await writeFile(join(workshop.directory, 'state', name), '');
    }
    await workshop.start();
    await workshop.mail();
    assert.deepEqual(await workshop.captures(), []);
  });

  it('that is not believed is told of once, however many folders it lies in', async () => {
    await using workshop = await Workshop.open();
    const refused = { kind: 'refused', reason: 'sender-not-trusted', detail: 'It comes from evil.test.' } as const;
    await workshop.mail(refused, { messageId: '<same@evil.test>' });
    await workshop.mail(refused, { messageId: '<same@evil.test>', folder: 'Spam' });
    assert.deepEqual(await workshop.toldEvents(), ['refused-notice']);
    assert.match((await workshop.told())[0]?.body ?? '', /^It comes from evil\.test\./);
    await workshop.mail(refused, { messageId: '<other@evil.test>' });
    assert.equal((await workshop.told()).length, 2);
  });

  it('that is unrelated is remembered, and no more', async () => {
    await using workshop = await Workshop.open();
    await workshop.mail({ kind: 'unrelated', why: 'it is a newsletter' });
    assert.deepEqual(await workshop.journal.unseen('ann@example.org', 'INBOX', '1', [1]), []);
    assert.deepEqual([await workshop.captures(), await workshop.told()], [[], []]);
  });

  it('that cannot be judged yet is not remembered', async () => {
    await using workshop = await Workshop.open();
    await assert.rejects(workshop.mail({ kind: 'undecided', detail: 'DNS is down.', until: 0 }), /DNS is down/);
    assert.deepEqual(await workshop.journal.unseen('ann@example.org', 'INBOX', '1', [1]), [1]);
  });

  it('which cannot be judged for ten minutes is told of once, with the time that is left', async () => {
    await using workshop = await Workshop.open();
    const undecided = { kind: 'undecided', detail: 'DNS is down.', until: TEST_START_MS + HOUR_MS } as const;
    for (const minutes of [0, 9, 2, 30]) {
      await workshop.clock.advance(minutes * MINUTE_MS);
      await assert.rejects(workshop.mail(undecided, { uid: 7 }), /DNS is down/);
    }
    const told = await workshop.told();
    assert.deepEqual(
      told.map(({ event }) => event),
      ['trouble'],
    );
    assert.match(told[0]?.title ?? '', /49 min left/);
    assert.match(told[0]?.body ?? '', /DNS is down/);
  });

  it('about an export of which a bad file was handed in before is still captured', async () => {
    await using workshop = await Workshop.open();
    const bad = join(workshop.directory, 'bad.zip');
    await writeFile(bad, 'PK\x03\x04 and then nothing');
    await workshop.dropIn(bad, NAMED);
    await workshop.untilState('refused');
    workshop.download = bringing(await workshop.archive('a.zip'));
    await workshop.mail();
    await workshop.until('the export is kept', async () => (await workshop.snapshots()).length === 1);
  });
});

describe('A file of an export that waits', () => {
  it('completes the capture by its name, and is deleted when its content is safe', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    const waiting = await workshop.untilState('needs-login');
    const id = await workshop.dropIn(await workshop.archive('a.zip'), NAMED);
    assert.equal(id, waiting.id);
    const { origin } = await workshop.untilTidy('committed');
    assert.equal(origin.kind === 'notice' && origin.link, undefined);
    assert.deepEqual(await workshop.snapshots(), ['ann@example.org/2026-11-21T185533Z']);
    assert.deepEqual(await readdir(workshop.drop), []);
    assert.deepEqual(await workshop.toldEvents(), ['needs-login', 'snapshot-committed']);
    assert.equal(workshop.requests.length, 1);
  });

  it('completes it under the name that a browser gives a second download', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    const waiting = await workshop.untilState('needs-login');
    const id = await workshop.dropIn(await workshop.archive('a.zip'), `${EXPORT_ID} (1).zip`);
    assert.equal(id, waiting.id);
  });

  it('completes it by the stamp of its entries when it was renamed', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    const waiting = await workshop.untilState('needs-login');
    const id = await workshop.dropIn(await workshop.archive('a.zip'), 'my chats.zip');
    assert.equal(id, waiting.id);
    await workshop.untilTidy('committed');
  });

  it('completes it while it is being downloaded, and ends the download', async () => {
    await using workshop = await Workshop.open();
    workshop.download = stalled;
    await workshop.mail();
    const busy = await workshop.untilState('downloading');
    await workshop.until('the download has begun', () => workshop.requests.length === 1);
    const id = await workshop.dropIn(await workshop.archive('a.zip'), NAMED);
    assert.equal(id, busy.id);
    assert.equal(workshop.requests[0]?.signal.aborted, true);
    await workshop.untilTidy('committed');
    assert.equal(workshop.requests.length, 1);
  });

  it('becomes a capture of its own when it is of another time', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    const waiting = await workshop.untilState('needs-login');
    const id = await workshop.dropIn(
      await workshop.archive('a.zip', undefined, Date.UTC(2026, 9, 1, 8)),
      `${ANOTHER_ID}.zip`,
    );
    assert.notEqual(id, waiting.id);
    await workshop.untilTidy('committed', id);
    assert.equal((await workshop.journal.capture(waiting.id))?.state.name, 'needs-login');
  });

  it('is refused when it is not sound, stays where it is, and the capture goes on waiting', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    const waiting = await workshop.untilState('needs-login');
    const whole = await readFile(await workshop.archive('a.zip'));
    const cut = join(workshop.directory, 'cut.zip');
    await writeFile(cut, whole.subarray(0, whole.length / 2));
    const id = await workshop.dropIn(cut, NAMED);
    assert.notEqual(id, waiting.id);
    await workshop.untilState('refused', id);
    assert.equal((await workshop.journal.capture(waiting.id))?.state.name, 'needs-login');
    assert.deepEqual(await readdir(workshop.drop), [NAMED]);
    assert.deepEqual(await workshop.toldEvents(), ['needs-login', 'refused-archive']);
  });

  it('leaves the link to be tried when its content is found to be damaged only while it is unpacked', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    const waiting = await workshop.untilState('needs-login');
    const archive = await workshop.archive('a.zip');
    const bytes = await readFile(archive);
    // Within the data of the first entry, which follows its header of 30 bytes and its name.
    bytes.fill(0xff, 70, 80);
    await writeFile(archive, bytes);
    assert.equal(await workshop.dropIn(archive, NAMED), waiting.id);
    const { state } = await workshop.untilState('waiting');
    assert.deepEqual(state.name === 'waiting' && state.next, { name: 'download' });
    assert.deepEqual(await readdir(workshop.drop), [NAMED]);
    assert.deepEqual(await workshop.snapshots(), []);
  });
});

describe('A file of an export that nobody waits for', () => {
  it('becomes a snapshot of the account that it names, at the time in its name', async () => {
    await using workshop = await Workshop.open();
    await workshop.dropIn(await workshop.archive('a.zip'), NAMED);
    const { state } = await workshop.untilTidy('committed');
    assert.equal(state.name === 'committed' && state.snapshot, 'ann@example.org/2026-11-21T185533Z');
    assert.equal(await workshop.journal.knowsFile(`key of ${NAMED}`), true);
  });

  it('is told of as a duplicate when it was kept before, and is deleted from the drop folder', async () => {
    await using workshop = await Workshop.open();
    const archive = await workshop.archive('a.zip');
    await workshop.dropIn(archive, 'first.zip');
    await workshop.untilTidy('committed');
    const id = await workshop.dropIn(archive, 'second.zip');
    await workshop.untilTidy('duplicate', id);
    assert.deepEqual(await workshop.toldEvents(), ['snapshot-committed', 'duplicate']);
    assert.deepEqual(await readdir(workshop.drop), []);
    assert.equal((await workshop.snapshots()).length, 1);
  });

  it('goes where the person wants it', async () => {
    await using workshop = await Workshop.open();
    const path = await workshop.archive('a.zip');
    await workshop.intake.takeFile({ path, name: 'a.zip', afterwards: 'keep', account: 'work' });
    await workshop.untilTidy('committed');
    assert.deepEqual(await workshop.snapshots(), ['work/2026-11-21T185533Z']);
    assert.ok((await readFile(path)).length > 0);
  });

  it('goes to a directory of its own when it does not say whose it is', async () => {
    await using workshop = await Workshop.open();
    await workshop.dropIn(await workshop.archive('a.zip', { 'chat.html': '<html></html>' }), 'a.zip');
    await workshop.untilTidy('committed');
    assert.deepEqual(await workshop.snapshots(), ['unknown-account/2026-11-21T185533Z']);
  });
});

describe('Two files of one export', () => {
  it('dropped at once become one snapshot and one duplicate', async () => {
    await using workshop = await Workshop.open();
    const archive = await workshop.archive('a.zip');
    await Promise.all([workshop.dropIn(archive, NAMED), workshop.dropIn(archive, `${EXPORT_ID} (1).zip`)]);
    await workshop.until('both have ended', async () => (await workshop.journal.endedCaptures(9)).length === 2);
    assert.deepEqual((await workshop.toldEvents()).sort(), ['duplicate', 'snapshot-committed']);
    assert.equal((await workshop.snapshots()).length, 1);
    await workshop.until('both are deleted', async () => (await readdir(workshop.drop)).length === 0);
  });
});

describe('A file that is being taken in already', () => {
  it('is one capture when it is handed in a second time, and stays where it is if that asks for it', async () => {
    const room = new Gate();
    await using workshop = await Workshop.open({ backups: room.around });
    const first = await workshop.dropIn(await workshop.archive('a.zip'), NAMED);
    await workshop.until('it is being unpacked', () => room.waiting > 0);
    const path = join(workshop.drop, NAMED);
    const again = workshop.intake.takeFile({ path, name: NAMED, afterwards: 'keep', account: undefined });
    room.open();
    assert.equal(await again, first);
    await workshop.untilTidy('committed', first);
    assert.deepEqual(await readdir(workshop.drop), [NAMED]);
    assert.deepEqual(await workshop.toldEvents(), ['snapshot-committed']);
  });

  it('is not begun anew by being handed in twice the same way', async () => {
    const room = new Gate();
    await using workshop = await Workshop.open({ backups: room.around });
    const path = await workshop.archive('a.zip');
    const file = { path, name: 'a.zip', afterwards: 'keep', account: undefined } as const;
    const first = await workshop.intake.takeFile(file);
    await workshop.until('it is being unpacked', () => room.waiting > 0);
    assert.equal(await workshop.intake.takeFile(file), first);
    room.open();
    await workshop.untilTidy('committed', first);
    assert.equal(room.waiting, 1);
  });

  it('stays where it is although the drop folder comes upon it as well', async () => {
    const room = new Gate();
    await using workshop = await Workshop.open({ backups: room.around });
    const archive = await workshop.archive('a.zip');
    const path = join(workshop.drop, NAMED);
    await copyFile(archive, path);
    const first = await workshop.intake.takeFile({ path, name: NAMED, afterwards: 'keep', account: undefined });
    await workshop.until('it is being unpacked', () => room.waiting > 0);
    assert.equal(await workshop.dropIn(archive, NAMED), first);
    room.open();
    await workshop.untilTidy('committed', first);
    assert.equal(room.waiting, 1);
    assert.deepEqual(await readdir(workshop.drop), [NAMED]);
    assert.equal(await workshop.journal.knowsFile(`key of ${NAMED}`), true);
  });

  it('is tried at once when it was held up and is handed in again', async () => {
    let full = true;
    await using workshop = await Workshop.open({
      backups: (real) =>
        withMethods(real, {
          createStaging: async (id) => {
            if (full) throw new ChatkeepError('storage', 'The disk is full.');
            return real.createStaging(id);
          },
        }),
    });
    const first = await workshop.dropIn(await workshop.archive('a.zip'), NAMED);
    await workshop.untilState('waiting', first);
    full = false;
    const path = join(workshop.drop, NAMED);
    await using other = workshop.openJournal();
    const handIn = await other.handIn({ path, name: NAMED, afterwards: 'keep', account: undefined });
    await workshop.clock.advance(2_000);
    await workshop.untilTidy('committed', first);
    assert.equal(await other.captureOfHandIn(handIn), first);
    assert.deepEqual(await readdir(workshop.drop), [NAMED]);
  });
});

describe('A file that another process hands in', () => {
  it('is accepted, and that process sees its end', async () => {
    await using workshop = await Workshop.open();
    await using other = workshop.openJournal();
    const path = await workshop.archive('a.zip');
    const handIn = await other.handIn({ path, name: 'a.zip', afterwards: 'keep', account: undefined });
    await workshop.clock.advance(2_000);
    const id = await workshop.until('it is accepted', () => other.captureOfHandIn(handIn));
    const capture = await whenSettled(other, id, systemClock, AbortSignal.timeout(10_000));
    assert.equal(capture.state.name, 'committed');
    assert.deepEqual(await other.pendingHandIns(), []);
    assert.ok((await readFile(path)).length > 0);
  });

  it('of an export that is being unpacked waits in line and is found to be a duplicate', async () => {
    let full = true;
    await using workshop = await Workshop.open({
      backups: (real) =>
        withMethods(real, {
          createStaging: async (id) => {
            if (full) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
            return real.createStaging(id);
          },
        }),
    });
    await using other = workshop.openJournal();
    const archive = await workshop.archive('a.zip');
    const first = await workshop.dropIn(archive, NAMED);
    await workshop.untilState('waiting', first);
    const handIn = await other.handIn({ path: archive, name: NAMED, afterwards: 'keep', account: undefined });
    await workshop.clock.advance(2_000);
    const second = await workshop.until('it is accepted', () => other.captureOfHandIn(handIn));
    assert.notEqual(second, first);
    full = false;
    await workshop.clock.advance(3_600_000);
    await workshop.until('both have ended', async () => (await workshop.journal.endedCaptures(9)).length === 2);
    assert.equal((await workshop.snapshots()).length, 1);
  });

  it('that is already gone is refused, and the service goes on', async () => {
    await using workshop = await Workshop.open();
    await using other = workshop.openJournal();
    await other.handIn({ path: '/nowhere/a.zip', name: 'a.zip', afterwards: 'keep', account: undefined });
    await workshop.clock.advance(2_000);
    const { state } = await workshop.untilState('refused');
    assert.equal(
      state.name === 'refused' && state.reason,
      'The archive /nowhere/a.zip was gone before it could be taken in.',
    );
    await workshop.dropIn(await workshop.archive('b.zip'), 'b.zip');
    await workshop.until('the next one is kept', async () => (await workshop.snapshots()).length === 1);
  });
});

describe('A message about an export of which a file is just being taken in', () => {
  it('is taken up afterwards, for the file may turn out to be bad', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using workshop = await Workshop.open({
      backups: (real) =>
        withMethods(real, {
          createStaging: async (id) => {
            await held;
            return real.createStaging(id);
          },
        }),
    });
    await workshop.dropIn(await workshop.archive('a.zip'), NAMED);
    await assert.rejects(workshop.mail(), /is being taken in/);
    assert.deepEqual(await workshop.journal.unseen('ann@example.org', 'INBOX', '1', [1]), [1]);
    release();
    await workshop.untilTidy('committed');
    await workshop.mail();
    assert.equal((await workshop.captures()).length, 1);
  });
});

/** Holds up all unpacking until it is opened. */
class Gate {
  /** How many have come to it. */
  waiting = 0;
  readonly #opened = Promise.withResolvers<void>();

  open(): void {
    this.#opened.resolve();
  }

  readonly around = (real: BackupDirectory): BackupDirectory =>
    withMethods(real, {
      createStaging: async (id) => {
        this.waiting += 1;
        await this.#opened.promise;
        return real.createStaging(id);
      },
    });
}
