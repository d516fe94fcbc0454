import type { Archive, Capture, CaptureState, FileOrigin, NoticeOrigin, Trouble } from '../../src/capture/capture.ts';
import type { CaptureEvent, CaptureSettings } from '../../src/capture/transitions.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { Message } from '../../src/notify/index.ts';
import { TEST_START_MS } from '../support/virtual-clock.ts';

/** The export was made, and its notice arrived, ten minutes before the tests begin. */
export const FOUND_MS = TEST_START_MS - 10 * MINUTE_MS;
export const DEADLINE_MS = FOUND_MS + 24 * HOUR_MS;
export const EXPORT_ID = `${'ab12'.repeat(16)}-2026-11-21-18-55-33-${'c0de'.repeat(8)}`;
export const LINK = `https://chatgpt.com/backend-api/estuary/content?id=${EXPORT_ID}.zip&sig=${'5ec2e7'.repeat(8)}`;

export const SETTINGS: CaptureSettings = { remindHoursLeft: [12, 6, 1], dropDir: '/drop' };

export const DOWNLOADED: Archive = {
  path: '/state/downloads/a1b2c3d4e5f6.zip',
  afterwards: 'delete',
  from: 'download',
};
export const DROPPED: Archive = { path: '/drop/export.zip', afterwards: 'delete', from: 'user' };
export const IMPORTED: Archive = { path: '/home/ann/export.zip', afterwards: 'keep', from: 'user' };

const NOTICE: NoticeOrigin = {
  kind: 'notice',
  provider: 'openai',
  mailbox: 'ann@example.org',
  messageId: '<1@geopod-ismtpd-9>',
  receivedAt: FOUND_MS,
  proof: 'DKIM d=tm.openai.com',
  deadline: DEADLINE_MS,
  link: new Secret(LINK),
};
const FILE: FileOrigin = { kind: 'file', name: 'export.zip' };

/** A capture of a notice, 24 hours before its deadline. */
export function noticeCapture(
  state: CaptureState = { name: 'found' },
  { origin, ...rest }: Partial<Omit<Capture, 'origin' | 'state'>> & { origin?: Partial<NoticeOrigin> } = {},
): Capture {
  return {
    id: 'a1b2c3d4e5f6',
    exportId: EXPORT_ID,
    exportTime: FOUND_MS,
    account: undefined,
    foundAt: FOUND_MS,
    damagedArchives: 0,
    waitedMs: 0,
    trouble: undefined,
    told: {},
    ...rest,
    origin: { ...NOTICE, ...origin },
    state,
  };
}

/** A capture of a renamed file that a person put into the drop folder. */
export function fileCapture(
  state: CaptureState = { name: 'unpacking', archive: DROPPED, attempt: 0 },
  rest: Partial<Omit<Capture, 'origin' | 'state'>> = {},
): Capture {
  return {
    ...noticeCapture(state, { id: 'f0f1f2f3f4f5', exportId: undefined, exportTime: undefined, ...rest }),
    origin: FILE,
  };
}

/** One of each open state that a capture of a notice can be in. */
export const OPEN_STATES = {
  found: { name: 'found' },
  downloading: { name: 'downloading', attempt: 1 },
  'waiting to download': {
    name: 'waiting',
    until: TEST_START_MS + MINUTE_MS,
    attempt: 2,
    reason: 'chatgpt.com cannot be reached.',
    next: { name: 'download' },
  },
  'waiting to unpack': {
    name: 'waiting',
    until: TEST_START_MS + MINUTE_MS,
    attempt: 2,
    reason: 'Could not unpack the archive: the disk is full.',
    next: { name: 'unpack', archive: DOWNLOADED },
  },
  'needs-login': {
    name: 'needs-login',
    since: TEST_START_MS - MINUTE_MS,
    until: TEST_START_MS + MINUTE_MS,
    attempt: 1,
    reason: 'No login is configured.',
    logins: 'before',
  },
  unpacking: { name: 'unpacking', archive: DOWNLOADED, attempt: 0 },
} as const satisfies Record<string, CaptureState>;

export const ARCHIVE_SHA256 = 'a5'.repeat(32);

/** One of each state in which a capture can have ended. */
export const END_STATES = {
  committed: {
    name: 'committed',
    at: TEST_START_MS,
    snapshot: 'ann@example.org/2026-11-21T185533Z',
    leftover: { path: '/a.zip', sha256: ARCHIVE_SHA256 },
  },
  duplicate: { name: 'duplicate', at: TEST_START_MS, of: 'ann@example.org/2026-11-21T185533Z', leftover: undefined },
  unchanged: {
    name: 'unchanged',
    at: TEST_START_MS,
    since: 'ann@example.org/2026-11-01T080910Z',
    leftover: { path: '/a.zip', sha256: ARCHIVE_SHA256 },
  },
  refused: { name: 'refused', at: TEST_START_MS, reason: 'The entry "../x" leads out.', kept: '/q.zip' },
  expired: { name: 'expired', at: TEST_START_MS },
} as const satisfies Record<string, CaptureState>;

/** One of each event. */
export const EVENTS = {
  'download-started': { kind: 'download-started' },
  downloaded: { kind: 'downloaded', path: DOWNLOADED.path },
  'download-interrupted': {
    kind: 'download-interrupted',
    detail: 'chatgpt.com ended the connection.',
    progressed: false,
  },
  'login-needed': { kind: 'login-needed', detail: 'No login is configured.', logins: 'before' },
  'telling-due': { kind: 'telling-due' },
  'deadline-passed': { kind: 'deadline-passed' },
  'archive-arrived': { kind: 'archive-arrived', archive: DROPPED },
  'unpacking-resumed': { kind: 'unpacking-resumed', archive: DOWNLOADED },
  committed: {
    kind: 'committed',
    snapshot: 'ann@example.org/2026-11-21T185533Z',
    sha256: ARCHIVE_SHA256,
    facts: {
      account: 'ann@example.org',
      exportTime: FOUND_MS,
      files: 1234,
      bytes: 1_800_000_000,
      archiveBytes: 900_000_000,
      unchangedFiles: 1200,
      tookMs: 14 * MINUTE_MS,
      counts: {
        conversations: 412,
        messages: 9801,
        images: 64,
        incompleteFiles: 0,
        unreadFiles: 0,
        unreadConversations: 0,
        unreadMessages: 0,
      },
      news: {
        kind: 'compared',
        before: 'ann@example.org/2026-11-14T190211Z',
        sinceMs: 7 * DAY_MS - 7 * MINUTE_MS,
        changes: {
          conversations: { added: 9, changed: 5, gone: 2, noLongerCarried: 0 },
          messages: { added: 152, gone: 8, noLongerCarried: 0 },
          files: { added: 15, gone: 0, noLongerCarried: 0 },
        },
      },
    },
  },
  'already-kept': { kind: 'already-kept', of: 'ann@example.org/2026-11-21T185533Z', sha256: ARCHIVE_SHA256 },
  'found-unchanged': {
    kind: 'found-unchanged',
    sha256: ARCHIVE_SHA256,
    facts: {
      snapshot: 'ann@example.org/2026-11-01T080910Z',
      since: Date.UTC(2026, 10, 1, 8, 9, 10),
      account: 'ann@example.org',
      exportTime: FOUND_MS,
      files: 1234,
      bytes: 1_800_000_000,
      counts: { conversations: 412, messages: 9801 },
    },
  },
  'archive-refused': {
    kind: 'archive-refused',
    detail: 'The entry "../x" leads out of the snapshot.',
    damaged: false,
    kept: '/backups/.chatkeep/quarantine/a1b2c3d4e5f6.zip',
  },
  'storage-trouble': {
    kind: 'storage-trouble',
    detail: 'Could not unpack the archive into /backups: the disk is full.',
  },
  'work-failed': { kind: 'work-failed', detail: 'An unexpected error: what a surprise.' },
} as const satisfies { readonly [Kind in CaptureEvent['kind']]: CaptureEvent & { kind: Kind } };

/** The trouble of the needs-login state above, told of when it began. */
export const LOGIN_TROUBLE: Trouble = {
  kind: 'login',
  since: TEST_START_MS - MINUTE_MS,
  attempts: 1,
  lastAt: TEST_START_MS - MINUTE_MS,
  detail: 'No login is configured.',
  tellAt: DEADLINE_MS - 12 * HOUR_MS,
};

/** A message to people, for tests of what carries it. */
export function someMessage(title = 'ChatGPT backup done', at = TEST_START_MS): Message {
  return { event: 'snapshot-committed', level: 'success', title, body: 'All is well.', at, data: { capture: 'a1' } };
}
