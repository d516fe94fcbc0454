import { captureMessages } from '../capture/index.ts';
import { diskEnough, diskFull, diskLow } from '../disk-watch/index.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../lib/clock.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { nearest } from '../lib/nearest.ts';
import { loginBack, loginDead, loginDying } from '../login-watch/index.ts';
import { digestOf, type Message, serviceBack, serviceFailing } from '../notify/index.ts';
import { noFirstSnapshot, noNewSnapshot } from '../nudge/index.ts';
import { offsiteMessage } from '../offsite-watch.ts';
import { outageMessage } from '../outages.ts';
import { pruned } from '../retention/index.ts';
import { soundAgain, verificationFailed } from '../verification/index.ts';
import {
  exampleCapture,
  exampleDeadCapture,
  exampleEarlier,
  exampleFileCapture,
  exampleSnapshot,
  exampleSnapshotFacts,
  exampleTrouble,
  exampleUnpacking,
  type SampleSetting,
} from './examples.ts';

/** Something that people may be told. */
export interface Sample {
  readonly name: string;
  readonly event: Message['event'];
  /** When it is told, as the rest of a sentence. */
  readonly when: string;
  /** The text of the real one, made of facts that are made up. @param now ms UTC */
  make(setting: SampleSetting, now: number): Message;
}

const DENIED = 'The server answered 403: access was denied. No login is configured.';
const CUT_OFF = 'chatgpt.com ended the connection. 1.5 GB of 4.8 GB have arrived.';
const LOGIN = {
  label: 'the cookies in cookies.txt',
  howToRenew:
    'Sign in to chatgpt.com in a browser, export its cookies as a cookies.txt, and hand that to `chatkeep login chatgpt --cookies FILE`.',
  others: [],
};
const ELSEWHERE = { id: 'sample', label: 'ntfy at ntfy.example.org', send: async () => {} };
const ROOMY = { free: 900e9, total: 2e12, need: 6.1e9 };

/** All that people may be told, in the order of an export's life; of each event one at least. */
export const SAMPLES: readonly Sample[] = [
  {
    name: 'snapshot-committed',
    event: 'snapshot-committed',
    when: 'an export was kept as a new snapshot',
    make: (setting, now) =>
      captureMessages.committed(
        exampleUnpacking(setting, now),
        exampleSnapshot(setting, now),
        exampleSnapshotFacts(setting, now),
        now,
      ),
  },
  {
    name: 'snapshot-incomplete',
    event: 'snapshot-committed',
    when: 'an export was kept, and something in it is amiss',
    make: (setting, now) => {
      const facts = exampleSnapshotFacts(setting, now);
      const counts = { ...facts.counts, incompleteFiles: 3 };
      return captureMessages.committed(
        exampleUnpacking(setting, now),
        exampleSnapshot(setting, now),
        { ...facts, counts },
        now,
      );
    },
  },
  {
    name: 'unchanged',
    event: 'unchanged',
    when: 'an export came in which nothing has changed',
    make: (setting, now) => {
      const { id, at } = exampleEarlier(setting, now);
      const facts = { ...exampleSnapshotFacts(setting, now), snapshot: id, since: at };
      return captureMessages.unchanged(exampleUnpacking(setting, now), facts, now);
    },
  },
  {
    name: 'duplicate',
    event: 'duplicate',
    when: 'a file was handed in whose export is kept already',
    make: (setting, now) =>
      captureMessages.duplicate(exampleFileCapture(setting, now), exampleSnapshot(setting, now), now),
  },
  {
    name: 'needs-login',
    event: 'needs-login',
    when: 'an export waits for a login; again as its deadline comes near',
    make: (setting, now) =>
      captureMessages.needsLogin(exampleCapture(setting, now), exampleTrouble('login', DENIED, now), setting, now),
  },
  {
    name: 'login-failing',
    event: 'login-failing',
    when: 'a login no longer works',
    make: (_setting, now) => loginDead(LOGIN, 'chatgpt.com does not accept them any more.', now),
  },
  {
    name: 'login-ending',
    event: 'login-failing',
    when: 'a login is about to end',
    make: (_setting, now) => loginDying(LOGIN, now + 3 * DAY_MS, now),
  },
  {
    name: 'login-back',
    event: 'recovered',
    when: 'a login that you were told of is good again',
    make: (_setting, now) => loginBack(LOGIN, now + 90 * DAY_MS, now),
  },
  {
    name: 'expired',
    event: 'expired',
    when: 'an export was lost, its link having died',
    make: (setting, now) => {
      const trouble = exampleTrouble('login', DENIED, now);
      return captureMessages.expired({ ...exampleDeadCapture(setting, now), trouble }, setting, now);
    },
  },
  {
    name: 'download-failing',
    event: 'trouble',
    when: 'an export cannot be downloaded; again as its deadline comes near',
    make: (setting, now) =>
      captureMessages.downloadTrouble(
        exampleCapture(setting, now),
        exampleTrouble('download', CUT_OFF, now),
        setting,
        now,
      ),
  },
  {
    name: 'storage-failing',
    event: 'trouble',
    when: 'an export cannot be stored: the disk is full, or permission is denied',
    make: (setting, now) => {
      const detail = `Could not unpack the archive into ${setting.backupDir}: the disk is full.`;
      return captureMessages.workTrouble(
        exampleUnpacking(setting, now),
        exampleTrouble('storage', detail, now),
        setting,
        now,
      );
    },
  },
  {
    name: 'refused-archive',
    event: 'refused-archive',
    when: 'an export was not taken: its archive is damaged or unsafe',
    make: (setting, now) =>
      captureMessages.archiveRefused(
        exampleUnpacking(setting, now),
        'The entry "../x" leads out of the snapshot.',
        `${setting.backupDir}/.chatkeep/quarantine/sample.zip`,
        undefined,
        now,
      ),
  },
  {
    name: 'refused-notice',
    event: 'refused-notice',
    when: 'an email that claims to be about an export was not believed',
    make: ({ mailbox }, now) =>
      captureMessages.noticeRefused(
        mailbox,
        'A message claims to be about an export. It comes from tm.openai.com.example and not from tm.openai.com.',
        now - MINUTE_MS,
        now,
      ),
  },
  {
    name: 'notice-unchecked',
    event: 'trouble',
    when: 'it could not be found out whether an email about an export is genuine',
    make: ({ mailbox }, now) =>
      captureMessages.noticeUndecided(
        mailbox,
        'A message claims to be about an export. The sender could not be proved just now: the DNS does not answer.',
        now + 23 * HOUR_MS,
        now,
      ),
  },
  {
    name: 'overdue',
    event: 'overdue',
    when: 'an export was asked for, and no email has come that it is ready',
    make: ({ mailbox }, now) =>
      captureMessages.overdue(mailbox, { asked: [now - 3 * DAY_MS], folders: ['INBOX', 'Junk'], isLast: false }, now),
  },
  {
    name: 'no-new-snapshot',
    event: 'no-new-snapshot',
    when: 'it is time to ask for a new export',
    make: ({ account, remindAgainMs }, now) =>
      noNewSnapshot({ account, newestAt: now - 30 * DAY_MS, messagesPerWeek: 120 }, remindAgainMs, now),
  },
  {
    name: 'no-first-snapshot',
    event: 'no-new-snapshot',
    when: 'it is time to ask for the first export',
    make: ({ remindAgainMs }, now) => noFirstSnapshot(remindAgainMs, now),
  },
  {
    name: 'mailbox-refused',
    event: 'trouble',
    when: 'a mailbox refuses the sign-in',
    make: ({ mailbox }, now) => {
      const detail = `The mail server refused the sign-in of ${mailbox}: Authentication failed.`;
      const trouble = { kind: 'sign-in-refused', detail } as const;
      return outageMessage(mailbox, { kind: 'sign-in-refused', since: now, trouble }, now);
    },
  },
  {
    name: 'mailbox-unreachable',
    event: 'trouble',
    when: 'a mailbox has been out of reach for an hour',
    make: ({ mailbox }, now) => {
      const detail = 'The mail server cannot be used just now: connect ECONNREFUSED.';
      const trouble = { kind: 'unreachable', detail } as const;
      return outageMessage(mailbox, { kind: 'unreachable', since: now - HOUR_MS, trouble }, now);
    },
  },
  {
    name: 'mailbox-back',
    event: 'recovered',
    when: 'a mailbox that you were told of can be read again',
    make: ({ mailbox }, now) => outageMessage(mailbox, { kind: 'recovered', since: now - 3 * HOUR_MS }, now),
  },
  {
    name: 'disk-low',
    event: 'disk-low',
    when: 'a disk is getting full',
    make: ({ backupDir }, now) => diskLow(diskOf(backupDir), { ...ROOMY, free: 9e9 }, now),
  },
  {
    name: 'disk-full',
    event: 'disk-low',
    when: 'the next export will not fit on a disk',
    make: ({ backupDir }, now) => diskFull(diskOf(backupDir), { ...ROOMY, free: 3e9 }, now),
  },
  {
    name: 'disk-enough',
    event: 'recovered',
    when: 'there is room again on a disk that you were told of',
    make: ({ backupDir }, now) => diskEnough(diskOf(backupDir), ROOMY, now),
  },
  {
    name: 'verification-failed',
    event: 'verification-failed',
    when: 'a snapshot was read again, and is damaged',
    make: (setting, now) => {
      const detail = 'chat.html is not what it was: its SHA-256 is another.';
      const snapshot = exampleEarlier(setting, now).id;
      return verificationFailed([{ snapshot, detail, hasSoundCopy: true }], now);
    },
  },
  {
    name: 'verification-sound',
    event: 'recovered',
    when: 'what was damaged is sound again',
    make: (_setting, now) => soundAgain(1, now),
  },
  {
    name: 'offsite-late',
    event: 'offsite-late',
    when: 'a copy elsewhere has not been made for days',
    make: ({ offsite }, now) => {
      const news = { kind: 'late', since: now - 3 * DAY_MS, missing: 2, copiedAt: now - 10 * DAY_MS } as const;
      return offsiteMessage(offsite, { ...news, trouble: 'The place cannot be reached.' }, now);
    },
  },
  {
    name: 'offsite-damaged',
    event: 'offsite-damaged',
    when: 'the check of a copy elsewhere found an error',
    make: ({ offsite }, now) => offsiteMessage(offsite, { kind: 'damaged', damage: 'A pack of data is missing.' }, now),
  },
  {
    name: 'offsite-back',
    event: 'recovered',
    when: 'a copy elsewhere is up to date again',
    make: ({ offsite }, now) => offsiteMessage(offsite, { kind: 'recovered', from: 'late' }, now),
  },
  {
    name: 'pruned',
    event: 'pruned',
    when: 'old snapshots were deleted, as your rules ask',
    make: (setting, now) => pruned([exampleEarlier(setting, now).id], { freedBytes: 1.2e9, unique: 1 }, now),
  },
  {
    name: 'notifications-failing',
    event: 'notifications-failing',
    when: 'another of your addresses cannot be reached',
    make: (_setting, now) => serviceFailing(ELSEWHERE, now - HOUR_MS, 'ntfy.example.org refuses connections', now),
  },
  {
    name: 'notifications-back',
    event: 'recovered',
    when: 'another of your addresses can be reached again',
    make: (_setting, now) => serviceBack(ELSEWHERE, now - 5 * HOUR_MS, now),
  },
  {
    name: 'digest',
    event: 'digest',
    when: 'several messages were held back by quiet hours or an outage',
    make: (setting, now) => {
      const current = ['mailbox-back', 'snapshot-committed', 'disk-low'].flatMap((name, index) => {
        const then = now - (7 - index) * HOUR_MS;
        return SAMPLES.filter((sample) => sample.name === name).map((sample) => sample.make(setting, then));
      });
      return digestOf({ current, outdated: 1 }, now);
    },
  },
];

/**
 * A sample by its name, or the first of an event by the event's.
 * @throws ChatkeepError `usage` that lists the names
 */
export function sampleNamed(name: string): Sample {
  const found = SAMPLES.find((sample) => sample.name === name) ?? SAMPLES.find(({ event }) => event === name);
  if (found !== undefined) return found;
  const names = SAMPLES.map((sample) => sample.name);
  const guess = nearest(name, names);
  throw new ChatkeepError(
    'usage',
    `There is no event "${name}"${guess === undefined ? '.' : `; did you mean ${guess}?`} There are: ${names.join(', ')}.`,
    { next: 'Run `chatkeep notify test --list` to see what each of them is.' },
  );
}

/** The message of a sample, which says that it is one. @param now ms UTC */
export function sampleOf(sample: Sample, setting: SampleSetting, now: number): Message {
  const message = sample.make(setting, now);
  return {
    ...message,
    title: `Sample: ${message.title}`,
    body: `This is a sample that you asked for: nothing of it has happened, and nothing is to be done.\n\n${message.body}`,
    data: { ...message.data, sample: true },
  };
}

function diskOf(backupDir: string): Parameters<typeof diskLow>[0] {
  return { what: `the disk of the backup directory ${backupDir}`, path: backupDir };
}
