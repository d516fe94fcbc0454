import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type Capture,
  type CaptureState,
  dueAt,
  hasEnded,
  lacksArchive,
  type Trouble,
} from '../../src/capture/capture.ts';
import { type CaptureEvent, type Step, type StepContext, step } from '../../src/capture/transitions.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { TEST_START_MS as NOW } from '../support/virtual-clock.ts';
import {
  ARCHIVE_SHA256,
  DEADLINE_MS,
  DOWNLOADED,
  DROPPED,
  END_STATES,
  EVENTS,
  fileCapture,
  IMPORTED,
  LOGIN_TROUBLE,
  noticeCapture,
  OPEN_STATES,
  SETTINGS,
} from './examples.ts';

const MIDDLE: StepContext = { now: NOW, random: () => 0.5, settings: SETTINGS };

/** As {@link MIDDLE}, at another moment. */
function at(now: number): StepContext {
  return { ...MIDDLE, now };
}

type StateName = keyof typeof OPEN_STATES;
type EventName = keyof typeof EVENTS;

/** What a state and an event make: the next state, and what is told (nothing unless given). */
type Row = readonly [EventName, next: CaptureState['name'], told?: string];

/** Every event that can occur in a state. What is not here changes nothing. */
const TABLE: Readonly<Record<StateName, readonly Row[]>> = {
  found: [
    ['download-started', 'downloading'],
    ['deadline-passed', 'expired', 'expired'],
    ['archive-arrived', 'unpacking'],
    ['storage-trouble', 'waiting', 'trouble'],
    ['work-failed', 'waiting', 'trouble'],
  ],
  downloading: [
    ['download-started', 'downloading'],
    ['downloaded', 'unpacking'],
    ['download-interrupted', 'waiting'],
    ['login-needed', 'needs-login', 'needs-login'],
    ['deadline-passed', 'expired', 'expired'],
    ['archive-arrived', 'unpacking'],
    ['storage-trouble', 'waiting', 'trouble'],
    ['work-failed', 'waiting', 'trouble'],
  ],
  'waiting to download': [
    ['download-started', 'downloading'],
    ['deadline-passed', 'expired', 'expired'],
    ['archive-arrived', 'unpacking'],
    ['storage-trouble', 'waiting', 'trouble'],
    ['work-failed', 'waiting', 'trouble'],
  ],
  'needs-login': [
    ['telling-due', 'needs-login', 'needs-login'],
    ['download-started', 'downloading'],
    ['deadline-passed', 'expired', 'expired'],
    ['archive-arrived', 'unpacking'],
    ['storage-trouble', 'waiting', 'trouble'],
    ['work-failed', 'waiting', 'trouble'],
  ],
  'waiting to unpack': [
    ['unpacking-resumed', 'unpacking'],
    ['storage-trouble', 'waiting', 'trouble'],
    ['work-failed', 'waiting', 'trouble'],
  ],
  unpacking: [
    ['committed', 'committed', 'snapshot-committed'],
    ['already-kept', 'duplicate'],
    ['found-unchanged', 'unchanged', 'unchanged'],
    ['archive-refused', 'refused', 'refused-archive'],
    ['storage-trouble', 'waiting', 'trouble'],
    ['work-failed', 'waiting', 'trouble'],
  ],
};

/** What is in the way in a state, where that is not told of yet. */
const TROUBLES: Partial<Record<StateName, Trouble>> = { 'needs-login': LOGIN_TROUBLE };

const STATE_NAMES = Object.keys(TABLE) as StateName[];
const EVENT_NAMES = Object.keys(EVENTS) as EventName[];

function told({ messages }: Step): string[] {
  return messages.map(({ event }) => event);
}

/** Lets the events happen one after the other. */
function after(capture: Capture, ...events: CaptureEvent[]): Step {
  return events.reduce<Step>((so, event) => step(so.capture, event, MIDDLE), { capture, messages: [] });
}

/** The state, which must be of this name. */
function stateOf<Name extends CaptureState['name']>(
  { state }: Capture,
  name: Name,
): Extract<CaptureState, { name: Name }> {
  assert.equal(state.name, name);
  return state as Extract<CaptureState, { name: Name }>;
}

describe('A capture, event by event', () => {
  for (const stateName of STATE_NAMES) {
    const before = noticeCapture(OPEN_STATES[stateName], { trouble: TROUBLES[stateName] });
    for (const eventName of EVENT_NAMES) {
      const row = TABLE[stateName].find(([name]) => name === eventName);
      if (row === undefined) {
        it(`that is ${stateName} is not changed by ${eventName}`, () => {
          assert.deepEqual(step(before, EVENTS[eventName], MIDDLE), { capture: before, messages: [] });
        });
        continue;
      }
      const [, next, message] = row;
      it(`that is ${stateName} becomes ${next} on ${eventName} and tells ${message ?? 'nothing'}`, () => {
        const result = step(before, EVENTS[eventName], MIDDLE);
        assert.equal(result.capture.state.name, next);
        assert.deepEqual(told(result), message === undefined ? [] : [message]);
      });
    }
  }

  for (const [name, state] of Object.entries(END_STATES)) {
    it(`that is ${name} is not changed by anything`, () => {
      const ended = noticeCapture(state);
      for (const event of Object.values(EVENTS)) {
        assert.deepEqual(step(ended, event, MIDDLE), { capture: ended, messages: [] });
      }
    });
  }
});

describe('The attempts of a download', () => {
  it('are counted', () => {
    const { capture } = after(
      noticeCapture(),
      EVENTS['download-started'],
      EVENTS['download-interrupted'],
      EVENTS['download-started'],
      EVENTS['download-interrupted'],
      EVENTS['download-started'],
    );
    assert.equal(stateOf(capture, 'downloading').attempt, 3);
  });

  it('wait ever longer, up to ten minutes', () => {
    let capture = noticeCapture();
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 14; attempt += 1) {
      capture = after(capture, EVENTS['download-started'], EVENTS['download-interrupted']).capture;
      waits.push(stateOf(capture, 'waiting').until - NOW);
    }
    assert.deepEqual(
      waits,
      waits.toSorted((a, b) => a - b),
    );
    assert.equal(waits[0], 1.5 * SECOND_MS);
    assert.equal(waits.at(-1), 7.5 * MINUTE_MS);
  });

  it('are counted from the beginning after one that brought something', () => {
    const tried = noticeCapture({ name: 'downloading', attempt: 9 });
    const { capture } = step(tried, { ...EVENTS['download-interrupted'], progressed: true }, MIDDLE);
    const state = stateOf(capture, 'waiting');
    assert.deepEqual([state.attempt, state.until - NOW], [1, 1.5 * SECOND_MS]);
  });

  it('wait for as long as the server asks', () => {
    const { capture } = step(
      noticeCapture(OPEN_STATES.downloading),
      { ...EVENTS['download-interrupted'], retryAfterMs: HOUR_MS },
      MIDDLE,
    );
    assert.equal(stateOf(capture, 'waiting').until, NOW + HOUR_MS);
  });

  it('are told of when four in a row have brought nothing, and once only', () => {
    let capture = noticeCapture();
    const messages: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      const result = after(capture, EVENTS['download-started'], EVENTS['download-interrupted']);
      capture = result.capture;
      messages.push(result.messages.length);
    }
    assert.deepEqual(messages, [0, 0, 0, 1, 0, 0, 0, 0]);
  });

  it('are made once more a minute before the deadline, however long the wait would be', () => {
    const late: StepContext = at(DEADLINE_MS - 5 * MINUTE_MS);
    const { capture } = step(
      noticeCapture(OPEN_STATES.downloading),
      { ...EVENTS['download-interrupted'], retryAfterMs: HOUR_MS },
      late,
    );
    assert.equal(stateOf(capture, 'waiting').until, DEADLINE_MS - MINUTE_MS);
  });
});

describe('A capture that needs a login', () => {
  it('is told of at once, and not again while that is so', () => {
    const first = after(noticeCapture(), EVENTS['download-started'], EVENTS['login-needed']);
    const second = after(first.capture, EVENTS['download-started'], EVENTS['login-needed']);
    assert.deepEqual([told(first), told(second)], [['needs-login'], []]);
  });

  it('is tried again a quarter of an hour later', () => {
    const { capture } = after(noticeCapture(), EVENTS['download-started'], EVENTS['login-needed']);
    assert.equal(stateOf(capture, 'needs-login').until, NOW + 15 * MINUTE_MS);
  });

  it('is told of when a reminder came due during an attempt that brought nothing', () => {
    const { capture } = after(
      noticeCapture(),
      EVENTS['download-started'],
      EVENTS['login-needed'],
      EVENTS['download-started'],
    );
    const reminder = DEADLINE_MS - 12 * HOUR_MS;
    const cutOff = { ...EVENTS['download-interrupted'], progressed: false };
    const before = step(capture, cutOff, at(reminder - 1));
    assert.deepEqual([told(before), dueAt(before.capture)], [[], reminder]);
    assert.deepEqual(told(step(capture, cutOff, at(reminder))), ['needs-login']);
  });

  it('remembers since when, and with which logins it was tried last', () => {
    const first = after(noticeCapture(), EVENTS['download-started'], EVENTS['login-needed']).capture;
    const tried = step(first, EVENTS['download-started'], MIDDLE).capture;
    const later = at(NOW + HOUR_MS);
    const { capture } = step(tried, { ...EVENTS['login-needed'], logins: 'renewed' }, later);
    const state = stateOf(capture, 'needs-login');
    assert.deepEqual([state.since, state.logins], [NOW, 'renewed']);
  });

  it('is told of again when it was downloaded, turned out to be damaged, and a login is needed once more, but not within the hour', () => {
    const { capture } = after(
      noticeCapture(),
      EVENTS['download-started'],
      EVENTS['login-needed'],
      EVENTS['download-started'],
      EVENTS.downloaded,
      { ...EVENTS['archive-refused'], damaged: true },
      EVENTS['download-started'],
    );
    const soon = step(capture, EVENTS['login-needed'], at(NOW + MINUTE_MS));
    assert.deepEqual(told(soon), []);
    assert.equal(soon.capture.trouble?.tellAt, NOW + HOUR_MS);
    assert.deepEqual(told(step(soon.capture, EVENTS['telling-due'], at(NOW + HOUR_MS - 1))), []);
    assert.deepEqual(told(step(soon.capture, EVENTS['telling-due'], at(NOW + HOUR_MS))), ['needs-login']);
    assert.deepEqual(told(step(capture, EVENTS['login-needed'], at(NOW + 2 * HOUR_MS))), ['needs-login']);
  });
});

describe('The time that a capture waits', () => {
  const { 'login-needed': denied, 'download-started': again, 'archive-arrived': handedIn } = EVENTS;
  const minutes = (n: number) => at(NOW + n * MINUTE_MS);

  it('for a login is counted, and what the attempts take is not', () => {
    let { capture } = step(noticeCapture(OPEN_STATES.downloading), denied, minutes(0));
    ({ capture } = step(capture, again, minutes(15)));
    assert.equal(capture.waitedMs, 15 * MINUTE_MS);
    ({ capture } = step(capture, denied, minutes(17)));
    ({ capture } = step(capture, again, minutes(32)));
    ({ capture } = step(capture, EVENTS.downloaded, minutes(50)));
    assert.equal(capture.waitedMs, 30 * MINUTE_MS);
  });

  it('for a file that a person hands in, or for room on the disk, is counted', () => {
    const login = step(noticeCapture(OPEN_STATES.downloading), denied, minutes(0)).capture;
    assert.equal(step(login, handedIn, minutes(7)).capture.waitedMs, 7 * MINUTE_MS);
    const full = step(noticeCapture(OPEN_STATES.unpacking), EVENTS['storage-trouble'], minutes(0)).capture;
    assert.equal(step(full, EVENTS['unpacking-resumed'], minutes(4)).capture.waitedMs, 4 * MINUTE_MS);
  });

  it('for a server is not: nobody else could do anything', () => {
    const cut = step(noticeCapture(OPEN_STATES.downloading), EVENTS['download-interrupted'], minutes(0)).capture;
    assert.equal(step(cut, again, minutes(9)).capture.waitedMs, 0);
  });
});

describe('An archive that is refused', () => {
  const damaged = { ...EVENTS['archive-refused'], damaged: true } as const;

  it('ends the capture when it is unsafe, for the server has no other', () => {
    const { capture } = after(
      noticeCapture(),
      EVENTS['download-started'],
      EVENTS.downloaded,
      EVENTS['archive-refused'],
    );
    assert.deepEqual(capture.state, {
      name: 'refused',
      at: NOW,
      reason: EVENTS['archive-refused'].detail,
      kept: EVENTS['archive-refused'].kept,
    });
  });

  it('is fetched again when it is damaged, three times in all', () => {
    const round = [EVENTS['download-started'], EVENTS.downloaded, damaged] as const;
    const states = [1, 2, 3].map((rounds) => {
      const events = Array.from({ length: rounds }, () => round).flat();
      return after(noticeCapture(), ...events).capture.state.name;
    });
    assert.deepEqual(states, ['waiting', 'waiting', 'refused']);
  });

  it('is not fetched again when the link has died', () => {
    const { capture } = step(noticeCapture(OPEN_STATES.unpacking), damaged, at(DEADLINE_MS));
    assert.equal(capture.state.name, 'refused');
  });

  for (const [what, event] of [
    ['unsafe', EVENTS['archive-refused']],
    ['damaged', damaged],
  ] as const) {
    it(`leaves the link to be tried when it was handed in by a person and is ${what}`, () => {
      const result = after(
        noticeCapture(OPEN_STATES['needs-login']),
        { kind: 'archive-arrived', archive: IMPORTED },
        event,
      );
      assert.deepEqual(stateOf(result.capture, 'waiting').next, { name: 'download' });
      assert.equal(result.capture.damagedArchives, 0);
      assert.deepEqual(told(result), ['refused-archive']);
    });
  }

  it('ends a capture that has no link', () => {
    assert.equal(step(fileCapture(), damaged, MIDDLE).capture.state.name, 'refused');
  });
});

describe('Work that is held up', () => {
  it('goes on with the archive that is on disk, even after the deadline', () => {
    const late: StepContext = at(DEADLINE_MS + HOUR_MS);
    const { capture } = step(noticeCapture(OPEN_STATES.unpacking), EVENTS['storage-trouble'], late);
    const state = stateOf(capture, 'waiting');
    assert.deepEqual(state.next, { name: 'unpack', archive: DOWNLOADED });
    assert.equal(state.until, late.now + 3 * SECOND_MS);
  });

  it('is tried ever less often, up to five minutes for storage', () => {
    let capture = noticeCapture(OPEN_STATES.unpacking);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      capture = step(capture, EVENTS['storage-trouble'], MIDDLE).capture;
      waits.push(stateOf(capture, 'waiting').until - NOW);
      capture = step(capture, EVENTS['unpacking-resumed'], MIDDLE).capture;
    }
    assert.deepEqual(
      waits,
      waits.toSorted((a, b) => a - b),
    );
    assert.equal(waits.at(-1), 3.75 * MINUTE_MS);
  });

  it('is told of anew when it is held up by something else', () => {
    const first = step(noticeCapture(OPEN_STATES.unpacking), EVENTS['storage-trouble'], MIDDLE);
    const resumed = step(first.capture, EVENTS['unpacking-resumed'], MIDDLE).capture;
    const same = step(resumed, EVENTS['storage-trouble'], MIDDLE);
    const other = step(resumed, EVENTS['work-failed'], MIDDLE);
    assert.deepEqual([told(first), told(same), told(other)], [['trouble'], [], ['trouble']]);
  });
});

describe('What an ended capture leaves to be deleted', () => {
  for (const [what, archive, leftover] of [
    ['our own download', DOWNLOADED, DOWNLOADED.path],
    ['a file of the drop folder', DROPPED, DROPPED.path],
    ['nothing of a file that a person named', IMPORTED, undefined],
  ] as const) {
    it(`is ${what}`, () => {
      const before = noticeCapture({ name: 'unpacking', archive, attempt: 0 });
      const committed = stateOf(step(before, EVENTS.committed, MIDDLE).capture, 'committed');
      const duplicate = stateOf(step(before, EVENTS['already-kept'], MIDDLE).capture, 'duplicate');
      const unchanged = stateOf(step(before, EVENTS['found-unchanged'], MIDDLE).capture, 'unchanged');
      const expected = leftover === undefined ? undefined : { path: leftover, sha256: ARCHIVE_SHA256 };
      assert.deepEqual([committed.leftover, duplicate.leftover, unchanged.leftover], Array(3).fill(expected));
    });
  }
});

describe('A file that was kept before', () => {
  it('is told of when a person put it in, for they may look for it', () => {
    assert.deepEqual(told(step(fileCapture(), EVENTS['already-kept'], MIDDLE)), ['duplicate']);
  });
});

describe('Another export in which nothing has changed', () => {
  it('is told of, for somebody asked for it and waits for its snapshot', () => {
    const unpacking = noticeCapture({ name: 'unpacking', archive: DOWNLOADED, attempt: 0 });
    assert.deepEqual(told(step(unpacking, EVENTS['found-unchanged'], MIDDLE)), ['unchanged']);
    assert.deepEqual(told(step(fileCapture(), EVENTS['found-unchanged'], MIDDLE)), ['unchanged']);
  });
});

/** Any event, with what may vary in it. */
const anyEvent: fc.Arbitrary<CaptureEvent> = fc.oneof(
  fc.constantFrom(...Object.values(EVENTS)),
  fc.record({
    kind: fc.constant('download-interrupted' as const),
    detail: fc.constant('It was cut off.'),
    progressed: fc.boolean(),
    retryAfterMs: fc.option(fc.nat({ max: 2 * DAY_MS }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('archive-refused' as const),
    detail: fc.constant('It is not sound.'),
    damaged: fc.boolean(),
    kept: fc.constantFrom('/q.zip', undefined),
  }),
  fc.record({ kind: fc.constant('archive-arrived' as const), archive: fc.constantFrom(DROPPED, IMPORTED) }),
  fc.record({
    kind: fc.constant('login-needed' as const),
    detail: fc.constant('No login will do.'),
    logins: fc.constantFrom('a', 'b'),
  }),
);

/** The events that mostly happen: those that fit more often than not, so that long stories come about. */
const anyStory = fc.record({
  start: fc.constantFrom(
    noticeCapture(),
    fileCapture(),
    fileCapture({ name: 'unpacking', archive: IMPORTED, attempt: 0 }),
  ),
  steps: fc.array(
    fc.record({
      event: anyEvent,
      passes: fc.nat({ max: 3 * HOUR_MS }),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
    {
      maxLength: 60,
    },
  ),
});

function isWithin(moment: number, from: number, to: number): boolean {
  return from < moment && moment <= to;
}

interface Moment {
  readonly before: Capture;
  readonly event: CaptureEvent;
  readonly now: number;
  readonly after: Step;
}

/** Tells the story, and looks at each step. */
function always(look: (moment: Moment) => void): void {
  fc.assert(
    fc.property(anyStory, ({ start, steps }) => {
      let capture = start;
      let now = NOW;
      for (const { event, passes, random } of steps) {
        now += passes;
        const result = step(capture, event, { now, random: () => random, settings: SETTINGS });
        look({ before: capture, event, now, after: result });
        capture = result.capture;
      }
    }),
    { numRuns: 2000 },
  );
}

describe('Whatever happens to a capture', () => {
  it('it never changes once it has ended', () => {
    always(({ before, after }) => {
      if (hasEnded(before)) assert.deepEqual(after, { capture: before, messages: [] });
    });
  });

  it('its end is told in exactly one message, but for a second mail about the same export', () => {
    always(({ before, after: { capture, messages } }) => {
      if (hasEnded(before) || !hasEnded(capture)) return;
      const silent = capture.state.name === 'duplicate' && capture.origin.kind === 'notice';
      assert.equal(messages.length, silent ? 0 : 1);
    });
  });

  it('its link is forgotten when it has ended, and kept as long as it has not', () => {
    always(({ after: { capture } }) => {
      if (capture.origin.kind === 'notice') assert.equal(capture.origin.link === undefined, hasEnded(capture));
    });
  });

  it('it is never due in the past, nor after the deadline while it depends on the link', () => {
    always(({ before, now, after: { capture } }) => {
      const { state, origin } = capture;
      if (state === before.state || (state.name !== 'waiting' && state.name !== 'needs-login')) return;
      assert.ok((dueAt(capture) ?? 0) >= now, `due ${now - state.until} ms ago`);
      assert.equal(dueAt(capture), Math.min(state.until, capture.trouble?.tellAt ?? state.until));
      if (origin.kind === 'notice' && lacksArchive(capture)) {
        assert.ok(state.until <= Math.max(now, origin.deadline), `due ${state.until - origin.deadline} ms too late`);
      }
    });
  });

  it('a trouble is told at once when it is the first of its kind', () => {
    always(({ before, after: { capture, messages } }) => {
      const kind = capture.trouble?.kind;
      if (kind === undefined || kind === before.trouble?.kind || before.told[kind] !== undefined) return;
      assert.equal(messages.length, 1);
    });
  });

  it('a trouble is not told twice within ten minutes, nor within the hour when it has come back', () => {
    always(({ before, now, after: { capture, messages } }) => {
      const { trouble } = capture;
      if (hasEnded(capture) || messages.length === 0 || trouble === undefined) return;
      const lastTold = before.told[trouble.kind] ?? Number.NEGATIVE_INFINITY;
      assert.equal(capture.told[trouble.kind], now);
      assert.ok(now - lastTold >= 10 * MINUTE_MS);
      assert.ok(messages.every(({ event }) => event === 'trouble' || event === 'needs-login'));
      const isNoReminder = SETTINGS.remindHoursLeft.every(
        (hours) => !isWithin(DEADLINE_MS - hours * HOUR_MS, lastTold, now),
      );
      if (isNoReminder) assert.ok(now - lastTold >= HOUR_MS);
    });
  });

  it("a person's unsound archive never ends it while its link lives", () => {
    always(({ before, now, after: { capture } }) => {
      const { state, origin } = before;
      const handedIn = state.name === 'unpacking' && state.archive.from === 'user';
      if (handedIn && origin.kind === 'notice' && origin.deadline > now) assert.notEqual(capture.state.name, 'refused');
    });
  });

  it('no more than three damaged archives are fetched', () => {
    always(({ after: { capture } }) => {
      assert.ok(capture.damagedArchives <= 3);
      if (capture.damagedArchives === 3) assert.equal(capture.state.name, 'refused');
    });
  });

  it('an archive of a person is never deleted unless its content is safe', () => {
    always(({ after: { capture } }) => {
      if (!('leftover' in capture.state) || capture.state.leftover === undefined) return;
      assert.ok(['committed', 'duplicate', 'unchanged'].includes(capture.state.name));
      assert.notEqual(capture.state.leftover.path, IMPORTED.path);
    });
  });

  it('nothing that is told holds the link', () => {
    always(({ after: { messages } }) => assert.doesNotMatch(JSON.stringify(messages), /5ec2e7|estuary/));
  });
});
