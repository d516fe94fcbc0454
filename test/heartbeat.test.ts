import assert from 'node:assert/strict';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  type Heartbeat,
  judgeHealth,
  readHeartbeat,
  TroubleMemory,
  WorkMemory,
  writeHeartbeat,
} from '../src/heartbeat.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../src/lib/clock.ts';
import type { MailboxState, MailboxTrouble } from '../src/mailbox/index.ts';
import { tempDir } from './support/temp-dir.ts';
import { TEST_START_MS as NOW } from './support/virtual-clock.ts';

const MAILBOX = {
  name: 'ann@example.org',
  state: 'watching',
  lastAnswer: NOW - MINUTE_MS,
  silenceLimit: 15 * MINUTE_MS,
  trouble: null,
  troubleSince: null,
} as const satisfies Heartbeat['mailboxes'][number];

const WORK = { capture: 'a1', phase: 'downloading', done: 5, total: 10, movedAt: NOW } as const;

function heartbeat(changes: Partial<Heartbeat> = {}): Heartbeat {
  return { at: NOW, pid: 42, startedAt: NOW - HOUR_MS, mailboxes: [MAILBOX], work: [], lookedAt: NOW, ...changes };
}

describe('The health of the service', () => {
  const healthy: [what: string, heartbeat: Heartbeat][] = [
    ['work that has not moved for an hour', heartbeat({ work: [{ ...WORK, movedAt: NOW - HOUR_MS }] })],
    ['captures that were looked after ten minutes ago', heartbeat({ lookedAt: NOW - 10 * MINUTE_MS })],
    ['captures that were never looked after, shortly after the start', heartbeat({ startedAt: NOW, lookedAt: null })],
    ['a beat of this moment', heartbeat()],
    ['a beat that is one minute old', heartbeat({ at: NOW - MINUTE_MS })],
    ['a beat a little ahead of this clock', heartbeat({ at: NOW + 5 * SECOND_MS })],
    ['no mailbox at all, only a drop folder', heartbeat({ mailboxes: [] })],
    [
      'a mailbox that was silent just as long as it may',
      heartbeat({ mailboxes: [{ ...MAILBOX, lastAnswer: NOW - 15 * MINUTE_MS }] }),
    ],
    [
      'a mailbox that never answered, shortly after the start',
      heartbeat({ startedAt: NOW - MINUTE_MS, mailboxes: [{ ...MAILBOX, state: 'connecting', lastAnswer: null }] }),
    ],
    [
      'a mailbox in trouble that answered not long ago',
      heartbeat({
        mailboxes: [{ ...MAILBOX, state: 'waiting', trouble: 'The connection was lost.', troubleSince: NOW - HOUR_MS }],
      }),
    ],
  ];
  for (const [what, beat] of healthy) {
    it(`is good with ${what}`, () => assert.deepEqual(judgeHealth(beat, NOW), { kind: 'healthy' }));
  }

  it('is that it does not run when there never was a beat', () => {
    assert.deepEqual(judgeHealth(undefined, NOW), {
      kind: 'not-running',
      detail: 'The service does not run.',
    });
  });

  it('is that it does not run when the last beat is more than a minute old', () => {
    assert.deepEqual(judgeHealth(heartbeat({ at: NOW - 3 * MINUTE_MS }), NOW), {
      kind: 'not-running',
      detail: 'The last sign of life of the service is 3 min old.',
    });
  });

  it('is bad when the beat is from the future, for then no beat can be believed', () => {
    assert.deepEqual(judgeHealth(heartbeat({ at: NOW + MINUTE_MS }), NOW), {
      kind: 'unhealthy',
      detail: 'The last sign of life is from the future: the clock was set back.',
    });
  });

  it('is bad when one of the mailboxes has been silent for too long, and names it and the trouble', () => {
    const silent = {
      ...MAILBOX,
      name: 'ben@example.org',
      lastAnswer: NOW - HOUR_MS,
      trouble: 'The login was refused.',
      troubleSince: NOW - 20 * MINUTE_MS,
    };
    assert.deepEqual(judgeHealth(heartbeat({ mailboxes: [MAILBOX, silent] }), NOW), {
      kind: 'unhealthy',
      detail: 'The mailbox "ben@example.org" could not be used for 1 h. The login was refused.',
    });
  });

  it('is bad when a mailbox that answers has been in trouble for more than an hour, and tells why', () => {
    const troubled = {
      ...MAILBOX,
      trouble: 'The folder Exports cannot be opened: no such mailbox.',
      troubleSince: NOW - HOUR_MS - 5 * MINUTE_MS,
    };
    assert.deepEqual(judgeHealth(heartbeat({ mailboxes: [MAILBOX, troubled] }), NOW), {
      kind: 'unhealthy',
      detail:
        'The mailbox "ann@example.org" has been in trouble for 1 h 5 min. The folder Exports cannot be opened: no such mailbox.',
    });
  });

  it('is bad when work stands still, and names the capture', () => {
    const standing = { ...WORK, movedAt: NOW - HOUR_MS - MINUTE_MS };
    assert.deepEqual(judgeHealth(heartbeat({ work: [standing] }), NOW), {
      kind: 'unhealthy',
      detail: 'The capture a1 has not moved for 1 h 1 min, while downloading.',
    });
  });

  it('is bad when captures cannot be looked after', () => {
    assert.deepEqual(judgeHealth(heartbeat({ lookedAt: NOW - 11 * MINUTE_MS }), NOW), {
      kind: 'unhealthy',
      detail: 'No capture could be looked after for 11 min: the journal cannot be used.',
    });
  });

  it('is bad when a mailbox has never answered since the start', () => {
    const mute = { ...MAILBOX, lastAnswer: null };
    assert.deepEqual(judgeHealth(heartbeat({ startedAt: NOW - 20 * MINUTE_MS, mailboxes: [mute] }), NOW), {
      kind: 'unhealthy',
      detail: 'The mailbox "ann@example.org" has not answered for 20 min.',
    });
  });
});

describe('The memory of trouble', () => {
  const missing: MailboxTrouble = { kind: 'folder-missing', detail: 'The folder Exports cannot be opened.' };
  const lost: MailboxTrouble = { kind: 'unreachable', detail: 'The connection was lost.' };
  const waiting = (trouble: MailboxTrouble): MailboxState => ({ name: 'waiting', until: NOW, attempt: 1, trouble });
  const watching = (trouble?: MailboxTrouble): MailboxState => ({
    name: 'watching',
    since: NOW,
    lastAnswer: NOW,
    trouble,
  });
  const after = (...states: MailboxState[]) => {
    const memory = new TroubleMemory();
    for (const [minute, state] of states.entries()) memory.look(state, NOW + minute * MINUTE_MS);
    return memory.current;
  };

  it('goes back to when it began, over new attempts and other kinds of trouble', () => {
    const connecting: MailboxState = { name: 'connecting', attempt: 2 };
    assert.deepEqual(after(connecting, waiting(lost), connecting, waiting(missing), connecting, watching(missing)), {
      trouble: missing.detail,
      troubleSince: NOW + MINUTE_MS,
    });
  });

  it('ends when the mailbox is watched without trouble, and not before', () => {
    assert.deepEqual(after(waiting(lost), watching()), { trouble: null, troubleSince: null });
    assert.deepEqual(after(waiting(lost), watching(), watching(missing)).troubleSince, NOW + 2 * MINUTE_MS);
    assert.deepEqual(after(waiting(lost), { name: 'connecting', attempt: 1 }).trouble, lost.detail);
  });

  it('is empty at first', () => {
    assert.deepEqual(after(), { trouble: null, troubleSince: null });
  });
});

describe('The memory of work', () => {
  it('tells since when each capture has not moved', () => {
    const memory = new WorkMemory();
    const progress = (done: number) => new Map([['a1', { phase: 'downloading', done, total: undefined } as const]]);
    const movedAt = (done: number, now: number) => memory.look(progress(done), now).map((work) => work.movedAt);
    assert.deepEqual(movedAt(1, NOW), [NOW]);
    assert.deepEqual(movedAt(1, NOW + 1), [NOW]);
    assert.deepEqual(movedAt(2, NOW + 2), [NOW + 2]);
    assert.deepEqual(memory.look(new Map(), NOW + 3), []);
    assert.deepEqual(movedAt(2, NOW + 4), [NOW + 4]);
  });
});

describe('The heartbeat on disk', () => {
  it('is read as it was written', async () => {
    await using state = await tempDir();
    const beat = heartbeat({ work: [{ capture: 'a1', phase: 'downloading', done: 5, total: null, movedAt: NOW }] });
    await writeHeartbeat(state.path, beat);
    assert.deepEqual(await readHeartbeat(state.path), beat);
  });

  it('is one private file, of which the last beat alone is left', async () => {
    await using state = await tempDir();
    await writeHeartbeat(state.path, heartbeat({ at: NOW - MINUTE_MS }));
    await writeHeartbeat(state.path, heartbeat());
    assert.deepEqual(await readdir(state.path), ['heartbeat.json']);
    assert.equal((await stat(join(state.path, 'heartbeat.json'))).mode & 0o777, 0o600);
    assert.equal((await readHeartbeat(state.path))?.at, NOW);
  });

  it('is undefined before the first', async () => {
    await using state = await tempDir();
    assert.equal(await readHeartbeat(state.path), undefined);
  });

  for (const [what, content] of [
    ['an empty file', ''],
    ['half a file', '{"at": 17, "pid"'],
    ['JSON of another shape', '{"at": "noon"}'],
  ] as const) {
    it(`is undefined where there is ${what}`, async () => {
      await using state = await tempDir();
      await writeFile(join(state.path, 'heartbeat.json'), content);
      assert.equal(await readHeartbeat(state.path), undefined);
    });
  }

  it('is undefined where something else has its name', async () => {
    await using state = await tempDir();
    await mkdir(join(state.path, 'heartbeat.json'));
    assert.equal(await readHeartbeat(state.path), undefined);
  });
});
