import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import type { Delivery, Message } from '../../src/notify/index.ts';
import { type Step, stepsFor } from '../../src/notify/round.ts';
import type { Wishes } from '../../src/notify/wishes.ts';
import { MESSAGE } from './support.ts';

const NOW = Date.UTC(2026, 10, 22, 12, 0);

let lastId = 0;
function delivery(facts: Partial<Message>, attempts = 0): Delivery {
  lastId += 1;
  return { id: lastId, recipient: 'a', attempts, message: { ...MESSAGE, at: NOW, data: {}, ...facts } };
}

/** What is done with each message: `sent: title`, `held`, `dropped`. */
function outcome(due: readonly Delivery[], wishes: Wishes | readonly Wishes[] = {}, now = NOW): string[] {
  return stepsFor(due, [wishes].flat(), now).map(told);
}

function told(step: Step): string {
  switch (step.kind) {
    case 'send':
      return `sent: ${step.message.title}`;
    case 'hold':
      return `held ${step.deliveries.length} until ${new Date(step.until).toISOString().slice(11, 16)}`;
    case 'drop':
      return `${step.isGivenUp ? 'given up' : 'dropped'} ${step.deliveries.length}`;
  }
}

const needsLogin = (capture: string, at: number, deadline: number) =>
  delivery({ event: 'needs-login', title: `${capture} needs a login`, at, data: { capture, deadline } });
const committed = (capture: string, at: number) =>
  delivery({ event: 'snapshot-committed', level: 'success', title: `${capture} is kept`, at, data: { capture } });

function onlyMessage(due: readonly Delivery[], now = NOW): Message {
  const [step, ...more] = stepsFor(due, [{}], now);
  assert(step?.kind === 'send' && more.length === 0);
  assert.equal(step.deliveries.length, due.length);
  return step.message;
}

describe('what is wanted at an address', () => {
  const events = [
    delivery({ event: 'snapshot-committed', level: 'success', title: 'kept' }),
    delivery({ event: 'needs-login', level: 'warning', title: 'login' }),
    delivery({ event: 'expired', level: 'failure', title: 'lost' }),
    delivery({ event: 'recovered', level: 'info', title: 'back' }),
    delivery({ event: 'duplicate', level: 'info', title: 'known' }),
  ];

  it('is everything, one by one in the order of recording, unless told', () => {
    assert.deepEqual(outcome(events), ['sent: kept', 'sent: login', 'sent: lost', 'sent: back', 'sent: known']);
  });

  it('is what is at least as important; that trouble is over is told to whom it was told of', () => {
    assert.deepEqual(outcome(events, { minLevel: 'warning' }), [
      'dropped 2',
      'sent: login',
      'sent: lost',
      'sent: back',
    ]);
    assert.deepEqual(outcome(events, { minLevel: 'failure' }), ['dropped 4', 'sent: lost']);
  });

  it('is what is of the events that are named', () => {
    assert.deepEqual(outcome(events, { events: ['needs-login', 'expired'] }), [
      'dropped 3',
      'sent: login',
      'sent: lost',
    ]);
  });

  it('is a test in any case', () => {
    const test = delivery({ event: 'test', level: 'info', title: 'test' });
    assert.deepEqual(outcome([test], { events: ['expired'], minLevel: 'failure', quietHours: { from: 0, to: 1439 } }), [
      'sent: test',
    ]);
  });
});

describe('in quiet hours', () => {
  const zone = process.env.TZ;
  before(() => {
    process.env.TZ = 'UTC';
  });
  after(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  const wishes = { quietHours: { from: 22 * 60, to: 7 * 60 } };
  const night = Date.UTC(2026, 10, 22, 23, 0);

  it('everything that can wait is held until they are over', () => {
    const due = [committed('a', night), needsLogin('b', night, night + 20 * HOUR_MS)];
    assert.deepEqual(outcome(due, wishes, night), ['held 2 until 07:00']);
    assert.deepEqual(outcome(due, wishes, night - 2 * HOUR_MS), ['sent: a is kept', 'sent: b needs a login']);
  });

  it('what has its deadline before they are over, or right after, goes at once', () => {
    const due = [
      committed('a', night),
      needsLogin('b', night, night + 7 * HOUR_MS),
      needsLogin('c', night, night + 8.5 * HOUR_MS),
      needsLogin('d', night, night + 9.5 * HOUR_MS),
    ];
    assert.deepEqual(outcome(due, wishes, night), [
      'held 2 until 07:00',
      'sent: b needs a login',
      'sent: c needs a login',
    ]);
  });

  it('of an address that is listed twice, count where the entry that wants the message has them', () => {
    const twice = [{ events: ['expired' as const] }, { ...wishes, minLevel: 'success' as const }];
    const due = [
      committed('a', night),
      delivery({ event: 'expired', level: 'failure', title: 'b was lost', at: night }),
      delivery({ event: 'duplicate', level: 'info', at: night }),
    ];
    assert.deepEqual(outcome(due, twice, night), ['dropped 1', 'held 1 until 07:00', 'sent: b was lost']);
  });

  it('what was held is told in one message afterwards, without what is out of date by then', () => {
    const morning = night + 8 * HOUR_MS;
    const due = [
      needsLogin('a', night, night + 20 * HOUR_MS),
      committed('a', night + HOUR_MS),
      delivery({
        event: 'expired',
        level: 'failure',
        title: 'b was lost',
        at: night + 2 * HOUR_MS,
        data: { capture: 'b' },
      }),
      needsLogin('c', night, night + HOUR_MS),
    ];
    const digest = onlyMessage(due, morning);
    assert.equal(digest.event, 'digest');
    assert.equal(digest.level, 'failure');
    assert.equal(digest.title, '2 messages about your ChatGPT backup');
    assert.match(
      digest.body,
      /^These were held back, or could not be delivered before\. 2 others were left out, being out of date\.\n\n🚨 2026-11-23 01:00 UTC: b was lost\n✅ 2026-11-23 00:00 UTC: a is kept\n\nb was lost\n/,
    );
  });
});

describe('what comes late', () => {
  it('says so, and how much time is left really', () => {
    const late = needsLogin('a', NOW - 3 * HOUR_MS, NOW + 2 * HOUR_MS);
    const { title, body } = onlyMessage([late]);
    assert.equal(title, 'a needs a login');
    assert.match(
      body,
      /^\(Written at 2026-11-22 09:00 UTC, and delivered later\. By now, 2 h are left\.\)\nAn export is ready/,
    );
  });

  it('is told by the last word of each subject alone', () => {
    const [t, mailbox] = [NOW - DAY_MS, { mailbox: 'me', since: 1 }];
    const { title, body } = onlyMessage([
      delivery({ event: 'trouble', title: 'A mailbox is out of reach', at: t, data: mailbox }),
      delivery({ event: 'recovered', level: 'info', title: 'A mailbox is back', at: t + HOUR_MS, data: mailbox }),
    ]);
    assert.equal(title, 'A mailbox is back');
    assert.match(body, /^\(Written at 2026-11-21 13:00 UTC, and delivered later\.\)\n/);
  });

  for (const { about, data } of [
    { about: 'an off-site copy', data: { offsite: 'nas' } },
    { about: 'verification', data: { verification: 'damaged' } },
    { about: 'a disk', data: { disk: '/backups' } },
    { about: 'a login', data: { login: 'cookies.txt' } },
  ]) {
    it(`is told by the last word alone about ${about}, too`, () => {
      const { title } = onlyMessage([
        delivery({ event: 'verification-failed', title: 'trouble', at: NOW - DAY_MS, data }),
        delivery({ event: 'recovered', title: 'all is well', at: NOW - HOUR_MS, data }),
      ]);
      assert.equal(title, 'all is well');
    });
  }

  it('tells of each of several off-site copies', () => {
    const late = (offsite: string) =>
      delivery({ event: 'offsite-late', title: `${offsite} is late`, at: NOW - HOUR_MS, data: { offsite } });
    assert.equal(onlyMessage([late('nas'), late('cloud')]).data.messages, 2);
  });

  it('names all damage that was found, message by message, until all is sound again', () => {
    const damaged = (files: number) =>
      delivery({
        event: 'verification-failed',
        title: `${files} files are damaged`,
        at: NOW - HOUR_MS,
        data: { verification: 'damaged', files },
      });
    const sound = delivery({
      event: 'recovered',
      title: 'sound again',
      at: NOW - DAY_MS,
      data: { verification: 'sound' },
    });
    const { title, body } = onlyMessage([sound, damaged(2), damaged(3)]);
    assert.equal(title, '2 messages about your ChatGPT backup');
    assert.match(body, /2 files are damaged/);
    assert.match(body, /3 files are damaged/);
  });

  it('does not remind of asking for an export of an account when a snapshot of it has been made since', () => {
    const reminder = (account: string | null) =>
      delivery({ event: 'no-new-snapshot', title: `reminder of ${account}`, at: NOW - DAY_MS, data: { account } });
    const snapshot = delivery({
      event: 'snapshot-committed',
      title: 'kept',
      at: NOW - HOUR_MS,
      data: { capture: 'a', account: 'ada' },
    });
    assert.equal(onlyMessage([reminder('ada'), snapshot]).title, 'kept');
    assert.equal(onlyMessage([reminder(null), snapshot]).title, 'kept');
    assert.equal(onlyMessage([reminder('eve'), snapshot]).data.messages, 2);
    assert.equal(onlyMessage([snapshot, reminder('ada')]).data.messages, 2);
  });

  it('is not told at all when nothing of it is true any more', () => {
    assert.deepEqual(outcome([needsLogin('a', NOW - DAY_MS, NOW - HOUR_MS)]), ['dropped 1']);
  });

  it('is told in full where it stands for itself', () => {
    const refused = (n: number) =>
      delivery({ event: 'refused-notice', title: `refused ${n}`, at: NOW - n * HOUR_MS, data: { mailbox: 'me' } });
    const { title, body } = onlyMessage([refused(3), refused(2), refused(1)]);
    assert.equal(title, '3 messages about your ChatGPT backup');
    assert(
      body.indexOf('refused 1') < body.indexOf('refused 2') && body.indexOf('refused 2') < body.indexOf('refused 3'),
    );
  });

  it('is of a size that can be read, however much there is', () => {
    const many = Array.from({ length: 400 }, (_, n) =>
      delivery({ event: 'refused-notice', title: `no. ${n}`, at: NOW - HOUR_MS - n }),
    );
    const { title, body } = onlyMessage(many);
    assert.equal(title, '400 messages about your ChatGPT backup');
    assert.match(body, /… and 350 more, see `chatkeep status`/);
    assert(body.length < 20_000);
  });

  it('has a key that stays as long as it is the same message', () => {
    const one = delivery({ at: NOW - HOUR_MS });
    const key = (due: readonly Delivery[], now: number) =>
      stepsFor(due, [{}], now).map((step) => (step.kind === 'send' ? step.key : ''));
    assert.deepEqual(key([one], NOW), key([{ ...one, attempts: 3 }], NOW + HOUR_MS));
    assert.notDeepEqual(key([one], NOW), key([delivery({ at: NOW - HOUR_MS })], NOW));
    assert.match(key([one], NOW)[0] ?? '', /^[0-9a-f]{32}$/);
  });

  it('is given up after 30 days of trying', () => {
    const old = { at: NOW - 31 * DAY_MS, title: 'old' };
    assert.deepEqual(outcome([delivery(old, 5), delivery(old, 0)]), ['given up 1', 'sent: old']);
  });

  it('goes on its own as long as it is not late', () => {
    const due = [delivery({ title: 'first', at: NOW - 5 * MINUTE_MS }), delivery({ title: 'second' })];
    assert.deepEqual(outcome(due), ['sent: first', 'sent: second']);
  });
});
