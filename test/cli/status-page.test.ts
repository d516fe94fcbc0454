import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { it } from 'node:test';
import type { Capture } from '../../src/capture/index.ts';
import { statusPage } from '../../src/cli/status/page.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { Kept, Status } from '../../src/overview/index.ts';
import { TEST_START_MS as NOW } from '../support/virtual-clock.ts';

/** Pages as people read them. Look at them in status-page.golden.txt; UPDATE_GOLDEN=1 writes that file anew. */
const GOLDEN = new URL('./status-page.golden.txt', import.meta.url);

const MAILBOX = {
  name: 'ada@example.com',
  state: 'watching',
  lastAnswer: NOW - 20 * SECOND_MS,
  silenceLimit: 10 * MINUTE_MS,
  trouble: null,
  troubleSince: null,
} as const;

const BEAT = {
  at: NOW,
  pid: 7,
  startedAt: NOW - DAY_MS,
  mailboxes: [MAILBOX],
  work: [],
  lookedAt: NOW,
};

const DISK = {
  what: 'the disk of the backup directory /backups',
  path: '/backups',
  free: 900e9,
  total: 2e12,
  need: 0,
  state: 'enough',
} as const;

const FIRST_RUN: Status = {
  health: { kind: 'healthy' },
  heartbeat: BEAT,
  open: [],
  ended: [],
  awaited: [],
  undelivered: { count: 0, lastError: undefined, oldestAt: undefined },
  logins: [],
  verified: { format: 1, from: 0, covered: 0, roundEnded: null, verifiedAt: null, damage: [] },
  offsite: [],
  snapshots: [],
  unchanged: [],
  disks: [DISK],
  reminders: [{ account: undefined, at: NOW + 3 * DAY_MS }],
};

const SNAPSHOTS = [kept('2026-05-04T050607Z', 40 * DAY_MS, 41_200), kept('2026-06-04T050607Z', 9 * DAY_MS, 42_412)];

function kept(id: string, age: number, messages: number): Kept {
  return {
    id: `ada/${id}`,
    account: 'ada',
    meta: {
      exportTime: NOW - age,
      files: 3120,
      bytes: 4.9e9,
      counts: { conversations: 412, messages, images: 60, audio: 4, videos: 0, otherAssets: 0 },
    },
  };
}

const HEALTHY: Status = {
  ...FIRST_RUN,
  ended: [
    capture('c1', { name: 'committed', at: NOW - 9 * DAY_MS, snapshot: 'ada/2026-06-04T050607Z', leftover: undefined }),
  ],
  logins: [
    {
      label: 'the token in /logins/token',
      checkedAt: NOW - 5 * HOUR_MS,
      health: { kind: 'good', until: undefined, account: 'ada@example.com' },
    },
  ],
  verified: { ...FIRST_RUN.verified, verifiedAt: NOW - 2 * DAY_MS, roundEnded: NOW - 20 * DAY_MS },
  snapshots: SNAPSHOTS,
  disks: [{ ...DISK, need: 6.1e9 }],
  reminders: [{ account: 'ada', at: NOW + 21 * DAY_MS }],
};

function capture(id: string, state: Capture['state']): Capture {
  return {
    id,
    exportId: 'an-export',
    origin: {
      kind: 'notice',
      provider: 'openai',
      mailbox: 'ada@example.com',
      messageId: '<1@example.com>',
      receivedAt: NOW - HOUR_MS,
      proof: 'DKIM',
      deadline: NOW + 23 * HOUR_MS,
      link: new Secret('https://chatgpt.com/a-link'),
    },
    exportTime: undefined,
    account: undefined,
    foundAt: NOW - HOUR_MS,
    damagedArchives: 0,
    waitedMs: 0,
    trouble: undefined,
    told: {},
    state,
  };
}

const PAGES: Readonly<Record<string, Status>> = {
  'all is well': HEALTHY,
  'the first run': FIRST_RUN,
  'an export is on its way': {
    ...HEALTHY,
    open: [capture('c2', { name: 'downloading', attempt: 1 })],
    heartbeat: { ...BEAT, work: [{ capture: 'c2', phase: 'downloading', done: 1.2e9, total: 4.8e9, movedAt: NOW }] },
    reminders: [],
  },
  'nothing had changed in the last export': {
    ...HEALTHY,
    ended: [
      capture('c2', { name: 'unchanged', at: NOW - HOUR_MS, since: 'ada/2026-06-04T050607Z', leftover: undefined }),
    ],
    unchanged: [
      { meta: { exportTime: NOW - 2 * HOUR_MS }, snapshot: { id: 'ada/2026-06-04T050607Z', account: 'ada' } },
    ],
  },
  'the service does not run': {
    ...HEALTHY,
    health: { kind: 'not-running', detail: 'The service does not run.' },
    heartbeat: undefined,
  },
  'a mailbox is silent': {
    ...HEALTHY,
    health: { kind: 'unhealthy', detail: 'The mailbox "ada@example.com" has not answered for 3 h.' },
    heartbeat: { ...BEAT, mailboxes: [{ ...MAILBOX, state: 'connecting', lastAnswer: NOW - 3 * HOUR_MS }] },
  },
  'much needs a person': {
    ...HEALTHY,
    open: [
      capture('c3', {
        name: 'needs-login',
        since: NOW - HOUR_MS,
        until: NOW + HOUR_MS,
        attempt: 2,
        reason: 'chatgpt.com asks for a login.',
        logins: '',
      }),
    ],
    logins: [
      {
        label: 'the token in /logins/token',
        checkedAt: NOW - HOUR_MS,
        health: { kind: 'dead', detail: 'chatgpt.com does not accept it.' },
      },
    ],
    verified: {
      ...HEALTHY.verified,
      damage: [{ snapshot: 'ada/2026-05-04T050607Z', path: 'chat.html', sha256: null, told: true }],
    },
    disks: [{ ...DISK, free: 3e9, need: 6.1e9, state: 'full' }],
    undelivered: { count: 2, lastError: 'ntfy.example.com refuses connections.', oldestAt: NOW - HOUR_MS },
    reminders: [],
  },
};

it('tells what is wrong first, each with what to do, and then how all is', async () => {
  const pages = Object.entries(PAGES).map(
    ([title, status]) => `=== ${title}\n\n${statusPage(status, NOW).join('\n')}\n`,
  );
  const text = pages.join('\n');
  if (process.env.UPDATE_GOLDEN === '1') await writeFile(GOLDEN, text);
  assert.equal(text, await readFile(GOLDEN, 'utf8'));
});

it('never shows the link of a capture', () => {
  for (const status of Object.values(PAGES)) assert.doesNotMatch(statusPage(status, NOW).join('\n'), /a-link/);
});
