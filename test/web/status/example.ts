import { HOUR_MS } from '../../../src/lib/clock.ts';
import type { CaptureView, StatusView } from '../../../src/web/index.ts';

/** How things are on 21 June 2026, or so: an export is on its way, another one waits for a login that has died. */
export function exampleStatus(now: number): StatusView & { readonly open: readonly [CaptureView, CaptureView] } {
  return {
    isWell: true,
    problems: [
      {
        what: 'The login "the token in /logins/token" does not work. chatgpt.com does not accept it.',
        fix: 'renew it before an export waits for it; `chatkeep login chatgpt` tells how.',
      },
    ],
    open: [
      {
        id: 'c1',
        state: 'downloading',
        text: 'downloading, 1.2 GB of 4.8 GB',
        snapshot: undefined,
        deadline: now + 23 * HOUR_MS,
        work: { done: 1.2e9, total: 4.8e9 },
        needsPerson: false,
      },
      {
        id: 'c2',
        state: 'needs-login',
        text: 'needs a login. chatgpt.com asks for a login.',
        snapshot: undefined,
        deadline: now + 9 * HOUR_MS,
        work: undefined,
        needsPerson: true,
      },
    ],
    awaited: ['asked for at 2026-06-21 08:12 UTC, mailbox ada@example.com'],
    ended: [
      {
        id: 'c0',
        state: 'committed',
        text: 'kept as ada@example.com/2026-06-20T190533Z at 2026-06-20 19:31 UTC',
        snapshot: 'ada@example.com/2026-06-20T190533Z',
        deadline: undefined,
        work: undefined,
        needsPerson: false,
      },
    ],
    mailboxes: [{ name: 'ada@example.com', text: 'watching, last answer 20 s ago' }],
    logins: [{ name: 'the token in /logins/token', text: 'does not work. chatgpt.com does not accept it.' }],
    snapshots: '2 snapshots; the newest is ada@example.com/2026-06-20T190533Z (3,120 files, 4.9 GB).',
    accounts: [{ name: 'ada@example.com', text: 'exported 1 d ago, with 1,212 messages more than the one before' }],
    verified: 'Snapshots were read again 2 d ago; every file had been read by 2026-06-07 03:40 UTC.',
    offsite: [{ name: 'cloud', text: 'all snapshots are there, copied last 2 h ago.' }],
    disks: [
      { name: 'the disk of the backup directory /backups', text: '900 GB of 2.0 TB; the next export may take 6.1 GB.' },
    ],
    undelivered: undefined,
    reminders: [
      'You are reminded of asking for a new export of ada@example.com at 2026-07-20 19:05 UTC, unless one comes before.',
    ],
  };
}
