import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Awaited, nothingAwaited } from '../../src/capture/awaited.ts';
import type { Capture } from '../../src/capture/capture.ts';
import type { HandIn, Journal, MessageRecord } from '../../src/capture/journal.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { TEST_START_MS as NOW } from '../support/virtual-clock.ts';
import {
  END_STATES,
  EXPORT_ID,
  fileCapture,
  LINK,
  LOGIN_TROUBLE,
  noticeCapture,
  OPEN_STATES,
  someMessage,
} from './examples.ts';

/** A fresh place for one journal; `open` may be called several times, as several processes do. */
export interface JournalPlace extends AsyncDisposable {
  open(): Promise<Journal>;
}

const MAIL: MessageRecord = {
  mailbox: 'ann@example.org',
  folder: 'INBOX',
  uidValidity: '1700000000',
  uid: 17,
  messageId: '<1@example.org>',
  outcome: 'ready',
  at: NOW,
};

const FILE: HandIn = { path: '/home/ann/a.zip', name: 'a.zip', afterwards: 'keep', account: undefined };

const committed = { ...END_STATES.committed, leftover: undefined };

function ids(captures: readonly Capture[]): string[] {
  return captures.map(({ id }) => id);
}

/** What every journal does, whatever keeps it. */
export function journalContract(name: string, makePlace: () => Promise<JournalPlace>): void {
  describe(`The journal in ${name}`, () => {
    let place: JournalPlace;
    let journal: Journal;
    let other: Journal;

    beforeEach(async () => {
      place = await makePlace();
      journal = await place.open();
      other = await place.open();
    });
    afterEach(async () => {
      await other[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    });

    /** The titles that are due for these services. */
    async function dueTitles(now: number, recipients: string[]): Promise<string[]> {
      return (await journal.due(now, recipients)).map(({ message }) => message.title);
    }

    async function record(...captures: Capture[]): Promise<void> {
      await journal.record({ captures });
    }

    describe('keeps captures:', () => {
      it('one is read as it was recorded, its link included, also by another process', async () => {
        const capture = noticeCapture(OPEN_STATES['needs-login'], {
          trouble: LOGIN_TROUBLE,
          told: { login: LOGIN_TROUBLE.since },
        });
        await record(capture);
        for (const each of [journal, other]) {
          const read = await each.capture(capture.id);
          assert.deepEqual(read, capture);
          assert.ok(read.origin.kind === 'notice');
          assert.equal(read.origin.link?.reveal(), LINK);
        }
      });

      it('one that is not there is undefined', async () => {
        assert.equal(await journal.capture('nobody'), undefined);
      });

      it('one that is recorded again is replaced', async () => {
        await record(noticeCapture());
        await record(noticeCapture(OPEN_STATES.downloading));
        assert.deepEqual((await journal.capture(noticeCapture().id))?.state, OPEN_STATES.downloading);
        assert.equal((await journal.openCaptures()).length, 1);
      });

      it('the open ones are listed oldest first, without those that have ended', async () => {
        await record(
          fileCapture(undefined, { id: 'late', foundAt: NOW + 2 }),
          fileCapture(undefined, { id: 'early', foundAt: NOW }),
          fileCapture(committed, { id: 'ended', foundAt: NOW + 1 }),
          fileCapture(OPEN_STATES['waiting to unpack'], { id: 'middle', foundAt: NOW + 1 }),
        );
        assert.deepEqual(ids(await journal.openCaptures()), ['early', 'middle', 'late']);
      });

      it('the ended ones are listed with the last that ended first, as many as asked for', async () => {
        await record(
          fileCapture({ ...committed, at: NOW + 1 }, { id: 'second', foundAt: NOW }),
          fileCapture({ ...END_STATES.refused, at: NOW + 2 }, { id: 'third', foundAt: NOW - HOUR_MS }),
          fileCapture({ ...END_STATES.expired, at: NOW }, { id: 'first', foundAt: NOW + HOUR_MS }),
          fileCapture(undefined, { id: 'open' }),
        );
        assert.deepEqual(ids(await journal.endedCaptures(5)), ['third', 'second', 'first']);
        assert.deepEqual(ids(await journal.endedCaptures(2)), ['third', 'second']);
      });

      it('the untidy ones are those that ended and have an archive left to delete', async () => {
        await record(
          fileCapture(committed, { id: 'tidy' }),
          fileCapture({ ...committed, leftover: { path: '/drop/a.zip', sha256: 'a5'.repeat(32) } }, { id: 'untidy' }),
          fileCapture(END_STATES.refused, { id: 'refused' }),
          fileCapture(undefined, { id: 'open' }),
        );
        assert.deepEqual(ids(await journal.untidyCaptures()), ['untidy']);
        await record(fileCapture(committed, { id: 'untidy' }));
        assert.deepEqual(await journal.untidyCaptures(), []);
      });

      it('those of an export are found, open and ended', async () => {
        await record(
          noticeCapture(committed, { id: 'before', foundAt: NOW - 1 }),
          noticeCapture(undefined, { id: 'now', foundAt: NOW }),
          noticeCapture(undefined, { id: 'other', exportId: 'another-2026-01-01-00-00-00' }),
          fileCapture(undefined, { id: 'unnamed' }),
        );
        assert.deepEqual(ids(await journal.capturesOfExport(EXPORT_ID)), ['before', 'now']);
      });

      for (const [what, state] of [
        ['that was committed', committed],
        ['that another capture had committed', END_STATES.duplicate],
        ['that an export was found to be the same as', END_STATES.unchanged],
      ] as const) {
        it(`a snapshot ${what} is known of`, async () => {
          await record(fileCapture(undefined, { id: 'open' }), fileCapture(END_STATES.refused, { id: 'refused' }));
          assert.equal(await journal.knowsSnapshot(), false);
          await record(fileCapture(state, { id: 'kept' }));
          assert.equal(await journal.knowsSnapshot(), true);
        });
      }

      it('an export has one open capture, whichever process records the second', async () => {
        await record(noticeCapture(undefined, { id: 'first' }));
        await assert.rejects(other.record({ captures: [noticeCapture(undefined, { id: 'second' })] }));
        assert.deepEqual(ids(await journal.openCaptures()), ['first']);
      });

      it('an export may be captured again when its capture has ended', async () => {
        await record(noticeCapture(END_STATES.expired, { id: 'first' }));
        await record(noticeCapture(undefined, { id: 'second' }));
        assert.deepEqual(ids(await journal.openCaptures()), ['second']);
      });

      it('captures of unknown exports do not stand in the way of each other', async () => {
        await record(fileCapture(undefined, { id: 'a' }), fileCapture(undefined, { id: 'b' }));
        assert.deepEqual(ids(await journal.openCaptures()), ['a', 'b']);
      });
    });

    describe('records all or nothing:', () => {
      it('everything in an entry is there afterwards', async () => {
        const handIn = await journal.handIn(FILE);
        await journal.record({
          captures: [noticeCapture()],
          message: MAIL,
          fileKey: 'key',
          accepted: { handIn, capture: noticeCapture().id },
          notifications: [{ message: someMessage('told'), recipients: ['ntfy'] }],
        });
        assert.deepEqual(await journal.unseen(MAIL.mailbox, MAIL.folder, MAIL.uidValidity, [17]), []);
        assert.equal(await journal.knowsFile('key'), true);
        assert.equal(await journal.captureOfHandIn(handIn), noticeCapture().id);
        assert.deepEqual(await dueTitles(NOW, ['ntfy']), ['told']);
        assert.deepEqual(ids(await journal.openCaptures()), [noticeCapture().id]);
      });

      it('an entry that fails leaves nothing of itself, and the journal goes on', async () => {
        const handIn = await journal.handIn(FILE);
        await record(noticeCapture(undefined, { id: 'first' }));
        const failing = journal.record({
          captures: [fileCapture(undefined, { id: 'whole' }), noticeCapture(undefined, { id: 'second' })],
          message: MAIL,
          fileKey: 'key',
          accepted: { handIn, capture: 'second' },
          notifications: [{ message: someMessage(), recipients: ['ntfy'] }],
        });
        await assert.rejects(failing);
        assert.deepEqual(ids(await journal.openCaptures()), ['first']);
        assert.deepEqual(await journal.unseen(MAIL.mailbox, MAIL.folder, MAIL.uidValidity, [17]), [17]);
        assert.equal(await journal.knowsFile('key'), false);
        assert.equal(await journal.captureOfHandIn(handIn), undefined);
        assert.equal((await journal.undelivered()).count, 0);
        await record(fileCapture(undefined, { id: 'later' }));
        assert.equal((await journal.openCaptures()).length, 2);
      });
    });

    describe('remembers messages:', () => {
      it('those that were not dealt with are unseen', async () => {
        await journal.record({ message: MAIL });
        assert.deepEqual(await journal.unseen(MAIL.mailbox, MAIL.folder, MAIL.uidValidity, [16, 17, 18]), [16, 18]);
      });

      for (const [what, mailbox, folder, uidValidity] of [
        ['another mailbox', 'ben@example.org', MAIL.folder, MAIL.uidValidity],
        ['another folder', MAIL.mailbox, 'Spam', MAIL.uidValidity],
        ['the folder under a new UIDVALIDITY', MAIL.mailbox, MAIL.folder, '1700000001'],
      ] as const) {
        it(`the same UID of ${what} is another message`, async () => {
          await journal.record({ message: MAIL });
          assert.deepEqual(await journal.unseen(mailbox, folder, uidValidity, [17]), [17]);
        });
      }

      it('one that is dealt with twice is remembered as what it was last', async () => {
        await journal.record({ message: { ...MAIL, outcome: 'refused' } });
        await journal.record({ message: MAIL });
        assert.equal(await journal.knowsMessage('<1@example.org>', 'ready'), true);
        assert.equal(await journal.knowsMessage('<1@example.org>', 'refused'), false);
      });

      it('its id is known wherever it lies, for the outcome it had', async () => {
        await journal.record({ message: { ...MAIL, folder: 'Spam', uid: 3 } });
        assert.equal(await journal.knowsMessage('<1@example.org>', 'ready'), true);
        assert.equal(await journal.knowsMessage('<1@example.org>', 'refused'), false);
        assert.equal(await journal.knowsMessage('<2@example.org>', 'ready'), false);
      });

      it('one without an id is remembered by where it lies', async () => {
        await journal.record({ message: { ...MAIL, messageId: undefined } });
        assert.deepEqual(await journal.unseen(MAIL.mailbox, MAIL.folder, MAIL.uidValidity, [17]), []);
      });
    });

    describe('remembers files:', () => {
      it('a key that was taken in is known, and may be recorded again', async () => {
        assert.equal(await journal.knowsFile('key'), false);
        await journal.record({ fileKey: 'key' });
        await journal.record({ fileKey: 'key' });
        assert.equal(await journal.knowsFile('key'), true);
        assert.equal(await journal.knowsFile('another'), false);
      });

      it('a file that is forgotten is not known any more, and the others are', async () => {
        for (const fileKey of ['key', 'it\u0000s "key"', 'gone']) await journal.record({ fileKey });
        await journal.forgetFilesBut(['key', 'it\u0000s "key"', 'another']);
        const known = await Promise.all(
          ['key', 'it\u0000s "key"', 'gone', 'another'].map((key) => journal.knowsFile(key)),
        );
        assert.deepEqual(known, [true, true, false, false]);
        await journal.forgetFilesBut([]);
        assert.equal(await journal.knowsFile('key'), false);
      });
    });

    describe('passes files from one process to the other:', () => {
      it('a hand-in waits, oldest first, until it has become a capture', async () => {
        const first = await other.handIn(FILE);
        const second = await other.handIn({ ...FILE, name: 'b.zip', afterwards: 'delete', account: 'work' });
        assert.deepEqual(await journal.pendingHandIns(), [
          { id: first, ...FILE },
          { id: second, ...FILE, name: 'b.zip', afterwards: 'delete', account: 'work' },
        ]);
        assert.equal(await other.captureOfHandIn(first), undefined);

        await journal.record({ captures: [fileCapture()], accepted: { handIn: first, capture: fileCapture().id } });
        assert.deepEqual(
          (await other.pendingHandIns()).map(({ id }) => id),
          [second],
        );
        assert.equal(await other.captureOfHandIn(first), fileCapture().id);
        assert.deepEqual(await other.capture(fileCapture().id), fileCapture());
      });
    });

    describe('is the outbox:', () => {
      /** Tells both services the one, and one service the other. */
      async function tellTwo(): Promise<void> {
        await journal.record({
          notifications: [
            { message: someMessage('first', NOW), recipients: ['ntfy', 'mail'] },
            { message: someMessage('second', NOW + MINUTE_MS), recipients: ['ntfy'] },
          ],
        });
      }

      it('a message is due for each of its services at its moment, in the order of recording', async () => {
        await tellTwo();
        assert.deepEqual(await dueTitles(NOW, ['ntfy']), ['first']);
        assert.deepEqual(await dueTitles(NOW + MINUTE_MS, ['ntfy']), ['first', 'second']);
        assert.deepEqual(await dueTitles(NOW + MINUTE_MS, ['mail']), ['first']);
        assert.deepEqual(await dueTitles(NOW + MINUTE_MS, ['nobody']), []);
        assert.equal((await journal.undelivered()).count, 3);
      });

      it('a message is given as it was recorded, with its service and no attempt', async () => {
        await tellTwo();
        const [delivery] = await journal.due(NOW, ['mail']);
        assert.ok(delivery !== undefined);
        const { id: _id, ...rest } = delivery;
        assert.deepEqual(rest, { recipient: 'mail', attempts: 0, message: someMessage('first', NOW) });
      });

      it('a delivered message is not due any more, for that service alone', async () => {
        await tellTwo();
        const [delivery] = await journal.due(NOW, ['ntfy']);
        assert.ok(delivery !== undefined);
        await journal.delivered([delivery.id], NOW);
        assert.deepEqual(await dueTitles(NOW + HOUR_MS, ['ntfy']), ['second']);
        assert.deepEqual(await dueTitles(NOW, ['mail']), ['first']);
        assert.equal((await journal.undelivered()).count, 2);
      });

      it('a postponed message is due again when it was told to be, with one more attempt', async () => {
        await tellTwo();
        const [delivery] = await journal.due(NOW, ['mail']);
        assert.ok(delivery !== undefined);
        await journal.postponed([delivery.id], NOW + HOUR_MS, 'The service is down.');
        assert.deepEqual(await journal.due(NOW + HOUR_MS - 1, ['mail']), []);
        assert.equal((await journal.due(NOW + HOUR_MS, ['mail']))[0]?.attempts, 1);
        assert.deepEqual(await journal.undelivered(), { count: 3, lastError: 'The service is down.', oldestAt: NOW });
        const { lastError } = await journal.undelivered('mail');
        assert.equal(lastError, 'The service is down.');
        assert.deepEqual(await journal.undelivered('nobody'), { count: 0, lastError: undefined, oldestAt: undefined });
      });

      it('what is held is due later, and was not tried', async () => {
        await tellTwo();
        const ids = (await journal.due(NOW + MINUTE_MS, ['ntfy'])).map(({ id }) => id);
        assert.equal(ids.length, 2);
        await journal.held(ids, NOW + HOUR_MS);
        assert.deepEqual(await journal.due(NOW + HOUR_MS - 1, ['ntfy']), []);
        assert.deepEqual(
          (await journal.due(NOW + HOUR_MS, ['ntfy'])).map(({ id, attempts }) => [id, attempts]),
          ids.map((id) => [id, 0]),
        );
      });

      it('it is known when something is due next, for the services asked for', async () => {
        assert.equal(await journal.nextDue(['ntfy', 'mail']), undefined);
        await tellTwo();
        const [delivery] = await journal.due(NOW, ['mail']);
        assert.ok(delivery !== undefined);
        await journal.postponed([delivery.id], NOW + HOUR_MS, 'The service is down.');
        assert.equal(await journal.nextDue(['mail']), NOW + HOUR_MS);
        assert.equal(await journal.nextDue(['ntfy', 'mail']), NOW);
        assert.equal(await journal.nextDue(['nobody']), undefined);
      });

      it('a message that nobody is to get waits for nobody', async () => {
        await journal.record({ notifications: [{ message: someMessage(), recipients: [] }] });
        assert.equal((await journal.undelivered()).count, 0);
      });

      /** What waits for the service, whenever it is due. */
      async function waiting(recipient: string): Promise<[title: string, attempts: number][]> {
        const deliveries = await journal.due(Number.MAX_SAFE_INTEGER, [recipient]);
        return deliveries.map(({ message, attempts }) => [message.title, attempts]);
      }

      it('what waited for an address that was mended goes to the new one, at once and from the first attempt on', async () => {
        await tellTwo();
        for (const { id } of await journal.due(NOW, ['ntfy']))
          await journal.postponed([id], NOW + HOUR_MS, 'Not found.');
        await journal.readdress(['mended', 'mail']);
        assert.deepEqual(await waiting('mended'), [
          ['first', 0],
          ['second', 0],
        ]);
        assert.deepEqual(await dueTitles(NOW + MINUTE_MS, ['mended']), ['first', 'second']);
        assert.deepEqual(await waiting('ntfy'), []);
        assert.deepEqual(await journal.undelivered(), { count: 4, lastError: undefined, oldestAt: NOW });
      });

      it('what a service has got, or waits for, is not told to it twice when another is taken away', async () => {
        await journal.record({
          notifications: [
            { message: someMessage('got', NOW), recipients: ['ntfy', 'mail'] },
            { message: someMessage('awaited', NOW), recipients: ['ntfy', 'mail'] },
          ],
        });
        const [got, awaited] = await journal.due(NOW, ['mail']);
        assert.ok(got !== undefined && awaited !== undefined);
        await journal.delivered([got.id], NOW);
        await journal.postponed([awaited.id], NOW + HOUR_MS, 'The service is down.');
        await journal.readdress(['mail']);
        assert.deepEqual(await waiting('mail'), [['awaited', 1]]);
        assert.equal((await journal.undelivered()).count, 1);
      });

      it('what was delivered to an address that is gone is not told again', async () => {
        await journal.record({ notifications: [{ message: someMessage('old', NOW), recipients: ['ntfy'] }] });
        for (const { id } of await journal.due(NOW, ['ntfy'])) await journal.delivered([id], NOW);
        await journal.readdress(['mail']);
        assert.deepEqual(await waiting('mail'), []);
      });

      it('what was given a new address later is still sent in the order of recording', async () => {
        await journal.record({
          notifications: [
            { message: someMessage('first', NOW), recipients: ['ntfy'] },
            { message: someMessage('second', NOW), recipients: ['mail'] },
          ],
        });
        await journal.readdress(['mail']);
        assert.deepEqual(await dueTitles(NOW, ['mail']), ['first', 'second']);
      });

      it('nothing waits any more when all addresses were taken away, and nothing changes when none was', async () => {
        await tellTwo();
        await journal.readdress(['ntfy', 'mail', 'new']);
        assert.equal((await journal.undelivered()).count, 3);
        assert.deepEqual(await waiting('new'), []);
        await journal.readdress([]);
        assert.equal((await journal.undelivered()).count, 0);
      });
    });

    describe('keeps what people were told of a subject:', () => {
      const told = { subject: 'disk /backups', what: 'low', at: NOW };

      it('it is read as it was recorded last, also by another process', async () => {
        assert.equal(await journal.toldOf(told.subject), undefined);
        await journal.record({ told: [told, { ...told, subject: 'disk /state' }] });
        await journal.record({ told: [{ ...told, what: 'enough', at: NOW + 1 }] });
        for (const each of [journal, other]) {
          assert.deepEqual(await each.toldOf(told.subject), { ...told, what: 'enough', at: NOW + 1 });
          assert.deepEqual(await each.toldOf('disk /state'), { ...told, subject: 'disk /state' });
        }
      });

      it('it is recorded together with its message, or neither is', async () => {
        const broken = { message: someMessage(), recipients: ['ntfy', undefined as unknown as string] };
        await assert.rejects(journal.record({ told: [told], notifications: [broken] }));
        assert.equal(await journal.toldOf(told.subject), undefined);
      });

      it('it is not forgotten, however old it is', async () => {
        await journal.record({ told: [told] });
        await journal.forget(NOW + HOUR_MS);
        assert.deepEqual(await journal.toldOf(told.subject), told);
      });
    });

    describe('keeps what is awaited:', () => {
      const nothing = nothingAwaited('ann@example.org', 'openai');
      const awaited: Awaited = {
        ...nothing,
        cameAt: NOW - HOUR_MS,
        requests: [
          { askedAt: NOW - MINUTE_MS, seenAt: NOW, remindedAt: undefined },
          { askedAt: NOW, seenAt: NOW, remindedAt: NOW },
        ],
      };

      it('of one provider in one mailbox it is read as it was recorded last, also by another process', async () => {
        assert.equal(await journal.awaitedIn('ann@example.org', 'openai'), undefined);
        await journal.record({ awaited: { ...awaited, cameAt: undefined } });
        await journal.record({ awaited });
        for (const each of [journal, other]) {
          assert.deepEqual(await each.awaitedIn('ann@example.org', 'openai'), awaited);
          assert.equal(await each.awaitedIn('ann@example.org', 'acme'), undefined);
          assert.equal(await each.awaitedIn('bob@example.org', 'openai'), undefined);
        }
      });

      it('that of all mailboxes is listed, and what has come is not', async () => {
        const ofBob = { ...awaited, mailbox: 'bob@example.org' };
        await journal.record({ awaited: ofBob });
        await journal.record({ awaited });
        assert.deepEqual(await journal.awaited(), [awaited, ofBob]);
        await journal.record({ awaited: { ...awaited, requests: [] } });
        assert.deepEqual(await journal.awaited(), [ofBob]);
        assert.equal((await journal.awaitedIn('ann@example.org', 'openai'))?.cameAt, NOW - HOUR_MS);
      });

      it('it is recorded together with the message that it comes from, or neither is', async () => {
        const broken = { message: someMessage(), recipients: ['ntfy', undefined as unknown as string] };
        await assert.rejects(journal.record({ awaited, message: MAIL, notifications: [broken] }));
        assert.deepEqual(await journal.awaited(), []);
        assert.deepEqual(await journal.unseen(MAIL.mailbox, MAIL.folder, MAIL.uidValidity, [MAIL.uid]), [MAIL.uid]);
      });

      it('what is old is forgotten', async () => {
        await journal.record({ awaited });
        await journal.forget(NOW);
        assert.deepEqual(await journal.awaitedIn('ann@example.org', 'openai'), awaited);
        await journal.forget(NOW + 1);
        assert.equal(await journal.awaitedIn('ann@example.org', 'openai'), undefined);
      });
    });

    describe('forgets:', () => {
      it('old messages, and keeps younger ones', async () => {
        await journal.record({ message: { ...MAIL, uid: 1, at: NOW - 1 } });
        await journal.record({ message: { ...MAIL, uid: 2, at: NOW } });
        await journal.forget(NOW);
        assert.deepEqual(await journal.unseen(MAIL.mailbox, MAIL.folder, MAIL.uidValidity, [1, 2]), [1]);
      });

      it('no notification that one of its services has not got', async () => {
        await journal.record({ notifications: [{ message: someMessage('old', NOW), recipients: ['ntfy', 'mail'] }] });
        const [delivery] = await journal.due(NOW, ['ntfy']);
        assert.ok(delivery !== undefined);
        await journal.delivered([delivery.id], NOW);
        await journal.forget(NOW + HOUR_MS);
        assert.deepEqual(await dueTitles(NOW, ['mail']), ['old']);
      });

      it('no capture, no file and no hand-in that waits', async () => {
        await journal.handIn(FILE);
        await journal.record({ captures: [fileCapture(committed)], fileKey: 'key' });
        await journal.forget(Number.MAX_SAFE_INTEGER);
        assert.deepEqual(ids(await journal.endedCaptures(5)), [fileCapture().id]);
        assert.equal(await journal.knowsFile('key'), true);
        assert.equal((await journal.pendingHandIns()).length, 1);
      });
    });

    it('is whole again when it is opened anew', async () => {
      await record(noticeCapture());
      await journal[Symbol.asyncDispose]();
      journal = await place.open();
      assert.deepEqual(await journal.capture(noticeCapture().id), noticeCapture());
    });
  });
}
