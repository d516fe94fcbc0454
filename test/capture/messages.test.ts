import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { Trouble } from '../../src/capture/capture.ts';
import * as messages from '../../src/capture/messages.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { type Message, messageSchema } from '../../src/notify/index.ts';
import { TEST_START_MS as NOW } from '../support/virtual-clock.ts';
import { DEADLINE_MS, EVENTS, fileCapture, noticeCapture, OPEN_STATES, SETTINGS } from './examples.ts';

/** Every text that people may get. Look at it in messages.golden.txt; UPDATE_GOLDEN=1 writes that file anew. */
const GOLDEN = new URL('./messages.golden.txt', import.meta.url);

const { committed, 'already-kept': kept, 'found-unchanged': unchanged, 'archive-refused': refused } = EVENTS;
const nobody = 'The server answered 403: access was denied. No login is configured.';
const denied =
  'With the token in /logins/chatgpt_token: The server answered 403: access was denied. With the cookies in /logins/cookies.txt: The server sent us to a sign-in page (auth.openai.com).';
const cut = 'chatgpt.com ended the connection. 1.5 GB of 4.8 GB have arrived.';
const full = 'Could not unpack the archive into /backups/.chatkeep/staging/a1b2c3d4e5f6: the disk is full.';
const cutOff = 'The ZIP is cut off: its end is missing. The download or the copy stopped too early.';
const stranger =
  'A message claims to be about an export. It comes from tm.openai.com.evil.test and not from tm.openai.com.';

function told(message: Message | undefined): Message {
  assert.ok(message !== undefined);
  return message;
}

/** Trouble that began ten minutes after the notice came, and is told of next when twelve hours are left. */
function troubleOf<Kind extends Trouble['kind']>(
  kind: Kind,
  detail: string,
  more: Partial<Trouble> = {},
): Trouble & { kind: Kind } {
  return { since: NOW, attempts: 1, lastAt: NOW, detail, tellAt: DEADLINE_MS - 12 * HOUR_MS, ...more, kind };
}

const found = noticeCapture();
const downloading = noticeCapture(OPEN_STATES.downloading);
const unpacking = noticeCapture(OPEN_STATES.unpacking);

const ALL: Readonly<Record<string, Message>> = {
  'A snapshot was committed': messages.committed(unpacking, committed.snapshot, committed.facts, NOW),
  'The first snapshot was committed': messages.committed(
    unpacking,
    committed.snapshot,
    { ...committed.facts, files: 1, unchangedFiles: 0, news: { kind: 'first' } },
    NOW,
  ),
  'A snapshot was committed after a wait for a login': messages.committed(
    { ...unpacking, waitedMs: 12 * MINUTE_MS },
    committed.snapshot,
    committed.facts,
    NOW,
  ),
  'A snapshot of an export that is not whole was committed': messages.committed(
    unpacking,
    committed.snapshot,
    {
      ...committed.facts,
      counts: {
        ...committed.facts.counts,
        incompleteFiles: 3,
        unreadFiles: 1,
        unreadConversations: 1,
        unreadMessages: 7,
      },
    },
    NOW,
  ),
  'A snapshot was committed of what could not be counted': messages.committed(
    unpacking,
    committed.snapshot,
    { ...committed.facts, counts: {}, news: undefined },
    NOW,
  ),
  'A file that was kept before': told(messages.duplicate(fileCapture(), kept.of, NOW)),
  'Another export in which nothing has changed': messages.unchanged(unpacking, unchanged.facts, NOW),
  'An older export with what a snapshot holds': messages.unchanged(
    fileCapture(),
    { ...unchanged.facts, exportTime: unchanged.facts.since - DAY_MS },
    NOW,
  ),
  'Nothing has changed in an export that is not whole': messages.unchanged(
    unpacking,
    { ...unchanged.facts, counts: { ...unchanged.facts.counts, incompleteFiles: 1 } },
    NOW,
  ),
  'A login is needed': messages.needsLogin(downloading, troubleOf('login', nobody), SETTINGS, NOW),
  'A login is needed, first reminder': messages.needsLogin(
    downloading,
    troubleOf('login', denied, { attempts: 48, tellAt: DEADLINE_MS - 6 * HOUR_MS }),
    SETTINGS,
    DEADLINE_MS - 12 * HOUR_MS,
  ),
  'A login is needed, last reminder, without a drop folder': messages.needsLogin(
    downloading,
    troubleOf('login', denied, { attempts: 94, tellAt: undefined }),
    { dropDir: undefined },
    DEADLINE_MS - HOUR_MS,
  ),
  'The link has died while a login was needed': messages.expired(
    { ...downloading, trouble: troubleOf('login', denied, { attempts: 98 }) },
    SETTINGS,
    DEADLINE_MS,
  ),
  'The link has died, seen while downloading': messages.expired(downloading, SETTINGS, DEADLINE_MS),
  'The link was dead when its email was found': messages.expired(
    noticeCapture({ name: 'found' }, { foundAt: DEADLINE_MS + HOUR_MS }),
    SETTINGS,
    DEADLINE_MS + HOUR_MS,
  ),
  'An unsafe archive': messages.archiveRefused(unpacking, refused.detail, refused.kept, undefined, NOW),
  'A damaged archive, to be fetched again': messages.archiveRefused(
    unpacking,
    cutOff,
    refused.kept,
    NOW + MINUTE_MS,
    NOW,
  ),
  'A damaged file of a person': messages.archiveRefused(fileCapture(), cutOff, '/drop/export.zip', undefined, NOW),
  'A file that is gone': messages.archiveRefused(
    fileCapture(),
    'The archive /drop/export.zip was gone before it could be taken in.',
    undefined,
    undefined,
    NOW,
  ),
  'The download keeps failing': messages.downloadTrouble(
    downloading,
    troubleOf('download', cut, { attempts: 4 }),
    SETTINGS,
    NOW,
  ),
  'The disk is full while unpacking': messages.workTrouble(
    unpacking,
    troubleOf('storage', full, { tellAt: undefined }),
    SETTINGS,
    NOW,
  ),
  'The disk is full while downloading': messages.workTrouble(
    downloading,
    troubleOf('storage', 'Could not write the download /state/downloads/a1b2c3d4e5f6.zip: the disk is full.'),
    SETTINGS,
    NOW,
  ),
  'The disk is full while downloading, last reminder': messages.workTrouble(
    downloading,
    troubleOf('storage', 'Could not write the download /state/downloads/a1b2c3d4e5f6.zip: the disk is full.', {
      attempts: 280,
      tellAt: undefined,
    }),
    SETTINGS,
    DEADLINE_MS - HOUR_MS,
  ),
  'An unexpected error': messages.workTrouble(found, troubleOf('failure', EVENTS['work-failed'].detail), SETTINGS, NOW),
  'An export was asked for 3 days ago': messages.overdue(
    'ann@example.org',
    { asked: [NOW - 3 * DAY_MS], folders: ['INBOX', 'Junk'], isLast: false },
    NOW,
  ),
  'Exports were asked for 7 days ago, and before': messages.overdue(
    'ann@example.org',
    {
      asked: [NOW - 7 * DAY_MS - HOUR_MS, NOW - 7 * DAY_MS - MINUTE_MS, NOW - 7 * DAY_MS],
      folders: ['INBOX'],
      isLast: true,
    },
    NOW,
  ),
  'A message that is not believed': messages.noticeRefused('ann@example.org', stranger, NOW - HOUR_MS, NOW),
};

function page(): string {
  return Object.entries(ALL)
    .map(([when, { event, level, title, body, data }]) =>
      [`=== ${when} (${event}, ${level})`, title, '', body, '', JSON.stringify(data), ''].join('\n'),
    )
    .join('\n');
}

describe('The messages to people', () => {
  it('read as in messages.golden.txt', async () => {
    if (process.env.UPDATE_GOLDEN === '1') await writeFile(GOLDEN, page());
    assert.equal(page(), await readFile(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes the file anew');
  });

  it('are told of every event that captures have', () => {
    const events = new Set(Object.values(ALL).map(({ event }) => event));
    assert.deepEqual([...events].sort(), [
      'duplicate',
      'expired',
      'needs-login',
      'overdue',
      'refused-archive',
      'refused-notice',
      'snapshot-committed',
      'trouble',
      'unchanged',
    ]);
  });

  for (const [when, message] of Object.entries(ALL)) {
    describe(`${when}:`, () => {
      it('says what it means for the backup', () => {
        assert.match(
          message.body,
          /backup|snapshot|is kept|is ready|is safe|link was not followed|link dies|cannot be fetched/,
        );
      });

      it('says what is to be done, or that nothing is', () => {
        assert.match(
          message.body,
          /Nothing is left to do|Nothing is to be done|nothing is to be done|Ask for a new one|ask for a new export|renew the login|give the ZIP|Make room|look at the log/,
        );
      });

      it('says by when, where something is to be done before the link dies', () => {
        if (message.data.deadline === undefined || message.data.deadline === null || message.event === 'expired')
          return;
        assert.match(message.body, /2026-11-22 18:55 UTC/);
      });

      it('has a title of one line and fits the schema', () => {
        assert.doesNotMatch(message.title, /\n/);
        assert.deepEqual(messageSchema.parse(message), message);
      });

      it('holds no link', () => assert.doesNotMatch(JSON.stringify(message), /https?:|estuary|5ec2e7/));
    });
  }

  it('say nothing of a second mail about an export that was kept', () => {
    assert.equal(messages.duplicate(unpacking, kept.of, NOW), undefined);
  });
});
