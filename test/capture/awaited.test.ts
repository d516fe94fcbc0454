import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type Awaited,
  type AwaitedEvent,
  type AwaitedStep,
  nothingAwaited,
  reminderDueAt,
  stepAwaited,
} from '../../src/capture/awaited.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { TEST_START_MS as NOW } from '../support/virtual-clock.ts';

const REMINDERS = [3 * DAY_MS, 7 * DAY_MS];
const NOTHING = nothingAwaited('ann@example.org', 'openai');

const asked = (at: number): AwaitedEvent => ({ kind: 'asked', at });
const came = (at: number): AwaitedEvent => ({ kind: 'came', at });
const searched = (at: number): AwaitedEvent => ({ kind: 'searched', at, folders: ['INBOX'] });

const EVENT_OF = { asked, came, searched };

/** What is awaited after these events, all of which happen at `now`. */
function after(events: readonly AwaitedEvent[], now = NOW, reminders: readonly number[] = REMINDERS): Awaited {
  return events.reduce((awaited, event) => stepAwaited(awaited, event, { now, reminders }).awaited, NOTHING);
}

/** A search of the mailbox at `at`, and what people are told then. */
function search(awaited: Awaited, at: number, reminders: readonly number[] = REMINDERS): AwaitedStep {
  return stepAwaited(awaited, searched(at), { now: at, reminders });
}

/** When people are told if the mailbox is searched every hour for `days` days: hours after NOW. */
function tellings(start: Awaited, days = 10, reminders: readonly number[] = REMINDERS): number[] {
  const hours: number[] = [];
  let awaited = start;
  for (let hour = 1; hour <= days * 24; hour += 1) {
    const step = search(awaited, NOW + hour * HOUR_MS, reminders);
    awaited = step.awaited;
    if (step.messages.length > 0) hours.push(hour);
  }
  assert.deepEqual(awaited.requests, []);
  return hours;
}

describe('An export that was asked for', () => {
  it('and does not come is told of after each of the days that are set, and is then put away', () => {
    assert.deepEqual(tellings(after([asked(NOW)])), [3 * 24, 7 * 24]);
    assert.deepEqual(tellings(after([asked(NOW)]), 10, [HOUR_MS, 2 * DAY_MS, 9 * DAY_MS]), [1, 48, 9 * 24]);
  });

  it('is told of with the time it was asked for, and whether that is the last time', () => {
    const first = search(after([asked(NOW)]), NOW + 3 * DAY_MS);
    const last = search(first.awaited, NOW + 7 * DAY_MS);
    const facts = [first, last].map(({ messages }) => messages.map(({ event, data }) => ({ event, ...data })));
    const common = { event: 'overdue', mailbox: 'ann@example.org', askedAt: NOW, requests: 1 };
    assert.deepEqual(facts, [[{ ...common, last: false }], [{ ...common, last: true }]]);
  });

  it('is never told of once one has come', () => {
    assert.deepEqual(tellings(after([asked(NOW), came(NOW + HOUR_MS)])), []);
    const told = search(after([asked(NOW)]), NOW + 3 * DAY_MS).awaited;
    const answered = stepAwaited(told, came(NOW + 4 * DAY_MS), { now: NOW + 4 * DAY_MS, reminders: REMINDERS });
    assert.deepEqual([answered.awaited.requests, answered.messages], [[], []]);
  });

  it('is still awaited when only an older one has come', () => {
    assert.deepEqual(tellings(after([came(NOW - HOUR_MS), asked(NOW)])), [3 * 24, 7 * 24]);
  });

  it('is answered by an email that was sent after it and arrived some minutes before', () => {
    assert.deepEqual(after([came(NOW - 10 * MINUTE_MS), asked(NOW)]).requests, []);
    assert.equal(after([came(NOW - 10 * MINUTE_MS - 1), asked(NOW)]).requests.length, 1);
  });

  it('is one request in however many folders its email lies', () => {
    assert.equal(after([asked(NOW), asked(NOW)]).requests.length, 1);
  });

  it('is told of as soon as the mailbox has been searched after that day', () => {
    const awaited = after([asked(NOW)]);
    const late = NOW + 5 * DAY_MS;
    const outOfReach = stepAwaited(awaited, searched(NOW + 3 * DAY_MS - 1), { now: late, reminders: REMINDERS });
    assert.deepEqual([outOfReach.awaited, outOfReach.messages], [awaited, []]);
    assert.equal(search(awaited, late).messages.length, 1);
  });

  it('is told of once when several days have passed meanwhile, and for the last time if all have', () => {
    const awaited = after([asked(NOW)]);
    const { messages, awaited: left } = search(awaited, NOW + 8 * DAY_MS);
    assert.deepEqual([messages.map(({ data }) => data.last), left.requests], [[true], []]);
  });

  it('but was found late is told of by the next search, for its answer may lie beside it', () => {
    const awaited = after([asked(NOW - 4 * DAY_MS)]);
    assert.deepEqual(search(awaited, NOW).messages, []);
    assert.equal(search(awaited, NOW + 1).messages.length, 1);
    assert.deepEqual(tellings(awaited), [1, 3 * 24]);
  });

  it('but was found after the last of the days is not told of', () => {
    assert.deepEqual(after([asked(NOW - 7 * DAY_MS)]), NOTHING);
  });

  it('is not awaited where no day is set, and put away when the days are taken out of the settings', () => {
    assert.deepEqual(after([asked(NOW)], NOW, []), NOTHING);
    const { awaited, messages } = search(after([asked(NOW)]), NOW + 1, []);
    assert.deepEqual([awaited, messages], [NOTHING, []]);
  });
});

describe('Several exports that were asked for', () => {
  it('are told of each in its time, and together where they are due together', () => {
    const awaited = after([asked(NOW - HOUR_MS), asked(NOW)]);
    assert.deepEqual(tellings(awaited), [71, 72, 167, 168]);
    const [message] = search(awaited, NOW + 3 * DAY_MS).messages;
    assert.deepEqual([message?.data.requests, message?.data.askedAt], [2, NOW]);
  });

  it('are answered as far as they were asked for before', () => {
    const awaited = after([asked(NOW - 2 * DAY_MS), asked(NOW - DAY_MS), asked(NOW), came(NOW - HOUR_MS)]);
    assert.deepEqual(
      awaited.requests.map(({ askedAt }) => askedAt),
      [NOW],
    );
  });

  it('are remembered up to a number that nobody asks for, the latest of them', () => {
    const events = Array.from({ length: 100 }, (_, minute) => asked(NOW - minute * MINUTE_MS));
    const { requests } = after(events);
    assert.equal(requests.length, 20);
    assert.equal(requests.at(-1)?.askedAt, NOW);
    const full = { ...NOTHING, requests };
    assert.equal(stepAwaited(full, asked(NOW - HOUR_MS), { now: NOW, reminders: REMINDERS }).awaited, full);
  });
});

const anyTime = fc.integer({ min: -8 * 24, max: 0 }).map((hours) => NOW + hours * HOUR_MS);
const anyNotice = fc.oneof(anyTime.map(asked), anyTime.map(came));

describe('In whatever order the messages of a mailbox are read', () => {
  it('the same is awaited in the end', () => {
    const anyOrders = fc
      .array(anyNotice, { maxLength: 80 })
      .chain((events) =>
        fc.tuple(
          fc.constant(events),
          fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
        ),
      );
    fc.assert(fc.property(anyOrders, ([events, shuffled]) => assert.deepEqual(after(shuffled), after(events))));
  });
});

/** Events one after the other, searches most of all, each some hours after the last. */
const anyStory = fc.array(
  fc.record({
    passes: fc.integer({ min: 0, max: 36 }),
    what: fc.constantFrom('asked', 'came', 'searched', 'searched', 'searched'),
    /** How long before the moment the message arrived, or the search began, hours. */
    before: fc.integer({ min: 0, max: 30 }),
  }),
  { maxLength: 60 },
);
const anyReminders = fc
  .uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 5 })
  .map((hours) => hours.toSorted((a, b) => a - b).map((each) => each * HOUR_MS));

interface Moment {
  readonly before: Awaited;
  readonly event: AwaitedEvent;
  readonly now: number;
  readonly reminders: readonly number[];
  readonly after: AwaitedStep;
}

type Story = typeof anyStory extends fc.Arbitrary<infer T> ? T : never;

function* tell(story: Story, reminders: readonly number[]): Generator<Moment> {
  let awaited = NOTHING;
  let now = NOW;
  for (const { passes, what, before } of story) {
    now += passes * HOUR_MS;
    const event = EVENT_OF[what](now - before * HOUR_MS);
    const step = stepAwaited(awaited, event, { now, reminders });
    yield { before: awaited, event, now, reminders, after: step };
    awaited = step.awaited;
  }
}

/** Tells stories, and looks at each step. */
function always(look: (moment: Moment) => void): void {
  fc.assert(
    fc.property(anyStory, anyReminders, (story, reminders) => {
      for (const moment of tell(story, reminders)) look(moment);
    }),
    { numRuns: 1000 },
  );
}

describe('Whatever happens', () => {
  it('people are told by a search alone, and only of what was due by then', () => {
    always(({ before, event, reminders, after: { messages } }) => {
      if (messages.length === 0) return;
      assert.equal(event.kind, 'searched');
      assert.ok((reminderDueAt(before, reminders) ?? Number.POSITIVE_INFINITY) <= event.at);
      assert.equal(messages.length, 1);
    });
  });

  it('nothing is left undone that was due when the mailbox was searched', () => {
    always(({ event, now, reminders, after: { awaited } }) => {
      const due = reminderDueAt(awaited, reminders);
      if (event.kind === 'searched' && event.at === now) assert.ok(due === undefined || due > now);
    });
  });

  it('no request is told of more often than there are reminders', () => {
    const tellings = fc.property(anyStory, anyReminders, (story, reminders) => {
      const moments = [...tell(story, reminders)];
      const told = moments.flatMap(({ after: { messages } }) => messages.map(({ data }) => Number(data.requests)));
      const requests = new Set(moments.flatMap(({ event }) => (event.kind === 'asked' ? [event.at] : [])));
      const most = requests.size * reminders.length;
      assert.ok(told.reduce((sum, each) => sum + each, 0) <= most);
    });
    fc.assert(tellings, { numRuns: 1000 });
  });

  it('no request is left that an export has answered', () => {
    always(({ after: { awaited } }) => {
      const { cameAt = Number.NEGATIVE_INFINITY, requests } = awaited;
      assert.ok(requests.every(({ askedAt }) => askedAt > cameAt));
    });
  });

  it('an event that changes nothing gives the very same object', () => {
    always(({ before, after: { awaited } }) => {
      if (awaited !== before) assert.notDeepEqual(awaited, before);
    });
  });
});
