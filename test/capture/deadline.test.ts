import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Capture, dueAt, hasEnded, isOnlyToBeTold } from '../../src/capture/capture.ts';
import { decodeCapture, encodeCapture } from '../../src/capture/codec.ts';
import { type CaptureEvent, type CaptureSettings, step } from '../../src/capture/transitions.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import type { Message } from '../../src/notify/index.ts';
import { DEADLINE_MS, EVENTS, FOUND_MS, noticeCapture, SETTINGS } from './examples.ts';

const DENIED = EVENTS['login-needed'];
const CUT = EVENTS['download-interrupted'];
const CUT_AFTER_SOME_BYTES = { ...CUT, progressed: true } as const;
const FULL = EVENTS['storage-trouble'];

/** How an attempt goes. */
interface Attempt {
  readonly outcome: CaptureEvent;
  readonly takesMs: number;
}

interface Story {
  /** How an attempt that begins at a time left (ms) goes. */
  readonly attempt: (leftMs: number) => Attempt;
  /** How long after the export's notice came it is found, ms. */
  readonly foundAfterMs?: number;
  /** Times of no service, as ms left at their begin and end. */
  readonly down?: readonly { readonly from: number; readonly to: number }[];
  readonly random?: number;
  readonly settings?: CaptureSettings;
}

interface Life {
  /** When each attempt began and ended, ms before the deadline. */
  readonly attempts: readonly { readonly left: number; readonly ended: number }[];
  /** What was told, and when, ms before the deadline. */
  readonly told: readonly { readonly left: number; readonly message: Message }[];
  /** The capture after each step. */
  readonly moments: readonly { readonly left: number; readonly capture: Capture }[];
  readonly end: Capture;
}

/** Lives through a capture's day as the conductor does: whenever it is due, the one thing that is due is done. */
function live({ attempt, foundAfterMs = 0, down = [], random = 0.5, settings = SETTINGS }: Story): Life {
  const attempts: { left: number; ended: number }[] = [];
  const told: { left: number; message: Message }[] = [];
  const moments: { left: number; capture: Capture }[] = [];
  let now = FOUND_MS + foundAfterMs;
  let capture = noticeCapture({ name: 'found' }, { foundAt: now });
  const happens = (event: CaptureEvent) => {
    const next = step(capture, event, { now, random: () => random, settings });
    // Every step is read back as after a restart.
    capture = decodeCapture(encodeCapture(next.capture));
    told.push(...next.messages.map((message) => ({ left: DEADLINE_MS - now, message })));
    moments.push({ left: DEADLINE_MS - now, capture });
  };
  for (let steps = 0; !hasEnded(capture); steps += 1) {
    assert.ok(steps < 5000, 'it runs in a hot loop');
    now = Math.max(now, dueAt(capture) ?? Number.NaN);
    for (const { from, to } of down) {
      if (DEADLINE_MS - now <= from && DEADLINE_MS - now > to) now = DEADLINE_MS - to;
    }
    if (isOnlyToBeTold(capture, now)) happens({ kind: 'telling-due' });
    else if (now >= DEADLINE_MS) happens({ kind: 'deadline-passed' });
    else {
      const left = DEADLINE_MS - now;
      happens({ kind: 'download-started' });
      const { outcome, takesMs } = attempt(left);
      now += takesMs;
      happens(outcome);
      attempts.push({ left, ended: DEADLINE_MS - now });
    }
  }
  return { attempts, told, moments, end: capture };
}

/** Hours left at each message, to the tenth. */
function hoursTold({ told }: Life): number[] {
  return told.map(({ left }) => Math.round(left / (HOUR_MS / 10)) / 10);
}

const alwaysDenied = () => ({ outcome: DENIED, takesMs: SECOND_MS });

describe('A capture that needs a login and never gets it', () => {
  it('is told of at once, when 12, 6 and 1 hours are left, and when it is lost', () => {
    const life = live({ attempt: alwaysDenied });
    assert.deepEqual(hoursTold(life), [24, 12, 6, 1, 0]);
    assert.deepEqual(
      life.told.map(({ message }) => message.event),
      ['needs-login', 'needs-login', 'needs-login', 'needs-login', 'expired'],
    );
    assert.deepEqual(life.told.map(({ message }) => message.title.replace(/^.*, /, '')).slice(1, 4), [
      '12 h left',
      '6 h left',
      '1 h left',
    ]);
  });

  it('is told how often it was tried, and with what answer', () => {
    const { told } = live({ attempt: alwaysDenied });
    assert.match(told[0]?.message.body ?? '', /Tried once: No login is configured\./);
    assert.match(
      told[1]?.message.body ?? '',
      /Tried 48 times since 2026-11-21 18:55 UTC, in the end: No login is configured\./,
    );
    assert.match(told[4]?.message.body ?? '', /Tried 97 times since .*: No login is configured\./);
  });

  it('which is found with five hours left is told of at once, and at one', () => {
    assert.deepEqual(hoursTold(live({ attempt: alwaysDenied, foundAfterMs: 19 * HOUR_MS })), [5, 1, 0]);
  });

  it('which is found just before a reminder is told of once', () => {
    assert.deepEqual(
      hoursTold(live({ attempt: alwaysDenied, foundAfterMs: 18 * HOUR_MS - 5 * MINUTE_MS })),
      [6.1, 1, 0],
    );
    assert.deepEqual(hoursTold(live({ attempt: alwaysDenied, foundAfterMs: 18 * HOUR_MS })), [6, 1, 0]);
  });

  it('is told of once for all the reminders that passed while the service was down', () => {
    const life = live({ attempt: alwaysDenied, down: [{ from: 13 * HOUR_MS, to: 4 * HOUR_MS }] });
    assert.deepEqual(hoursTold(life), [24, 4, 1, 0]);
  });

  it('is told of by nothing but its end when the service comes back too late', () => {
    const life = live({ attempt: alwaysDenied, down: [{ from: 13 * HOUR_MS, to: -HOUR_MS }] });
    assert.deepEqual(hoursTold(life), [24, -1]);
  });

  it('is told of when other hours are set, or never again when none are', () => {
    const settings = { ...SETTINGS, remindHoursLeft: [20, 0.5] };
    assert.deepEqual(hoursTold(live({ attempt: alwaysDenied, settings })), [24, 20, 0.5, 0]);
    assert.deepEqual(
      hoursTold(live({ attempt: alwaysDenied, settings: { ...SETTINGS, remindHoursLeft: [] } })),
      [24, 0],
    );
  });

  it('is told when the next word comes, and that the last was the last', () => {
    const { told } = live({ attempt: alwaysDenied });
    assert.match(told[0]?.message.body ?? '', /The next reminder comes with 12 h left\.$/);
    assert.match(told[3]?.message.body ?? '', /There is no further reminder\.$/);
  });
});

describe('A login that comes back and dies again', () => {
  it('is told of anew, with a count of its own', () => {
    // Bytes come while 20 to 15 hours are left.
    const life = live({
      attempt: (left) =>
        left < 20 * HOUR_MS && left > 15 * HOUR_MS
          ? { outcome: CUT_AFTER_SOME_BYTES, takesMs: HOUR_MS / 2 }
          : { outcome: DENIED, takesMs: SECOND_MS },
    });
    assert.deepEqual(hoursTold(life), [24, 15, 12, 6, 1, 0]);
    assert.match(life.told[1]?.message.body ?? '', /Tried once/);
  });

  it('every few minutes is told of once an hour at the most', () => {
    let works = false;
    const life = live({
      attempt: () => {
        works = !works;
        return { outcome: works ? CUT_AFTER_SOME_BYTES : DENIED, takesMs: MINUTE_MS };
      },
    });
    const gaps = life.told.slice(1, -1).map(({ left }, index) => (life.told[index]?.left ?? 0) - left);
    assert.ok(gaps.every((gap) => gap >= 10 * MINUTE_MS));
    assert.ok(life.told.length <= 1 + 24 + 3 + 1, `${life.told.length} messages`);
  });
});

describe('A download that keeps failing', () => {
  it('is told of after four attempts, and again as the deadline comes near', () => {
    const life = live({ attempt: () => ({ outcome: CUT, takesMs: SECOND_MS }) });
    assert.deepEqual(hoursTold(life), [24, 12, 6, 1, 0]);
    assert.equal(life.told[0]?.message.event, 'trouble');
    assert.match(life.told[1]?.message.title ?? '', /cannot be downloaded at present, 12 h left/);
  });

  it('is not asked for more often because somebody is to be reminded', () => {
    const life = live({
      attempt: () => ({ outcome: { ...CUT, retryAfterMs: 5 * HOUR_MS }, takesMs: 0 }),
    });
    const begun = life.attempts.map(({ left }) => Math.round(left / MINUTE_MS) / 60);
    assert.deepEqual(
      begun.map((hours) => Math.round(hours * 10) / 10),
      [24, 19, 14, 9, 4, 0],
    );
    assert.deepEqual(hoursTold(life), [9, 6, 1, 0]);
  });

  it('for want of room is told of in the same way', () => {
    const life = live({ attempt: () => ({ outcome: FULL, takesMs: SECOND_MS }) });
    assert.deepEqual(hoursTold(life), [24, 12, 6, 1, 0]);
    assert.match(life.told[3]?.message.title ?? '', /cannot be stored, 1 h left/);
  });
});

describe('Whatever comes of the attempts', () => {
  const anyAttempt: fc.Arbitrary<Attempt> = fc.oneof(
    fc.record({
      outcome: fc.oneof(
        fc.constantFrom<CaptureEvent>(DENIED, CUT, FULL, EVENTS['work-failed']),
        fc.nat({ max: 30 * HOUR_MS }).map((retryAfterMs): CaptureEvent => ({ ...CUT, retryAfterMs })),
      ),
      takesMs: fc.oneof(fc.constant(0), fc.nat({ max: 10 * SECOND_MS }), fc.nat({ max: 40 * MINUTE_MS })),
    }),
    fc.record({
      outcome: fc.constant(CUT_AFTER_SOME_BYTES),
      takesMs: fc.integer({ min: 5 * MINUTE_MS, max: 40 * MINUTE_MS }),
    }),
  );
  const anyStory = fc.record({
    attempts: fc.array(anyAttempt, { minLength: 1, maxLength: 8 }),
    foundAfterMs: fc.nat({ max: 24 * HOUR_MS - 1 }),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    remindHoursLeft: fc
      .uniqueArray(fc.integer({ min: 1, max: 95 }), { maxLength: 4 })
      .map((quarters) => quarters.map((quarter) => quarter / 4).sort((a, b) => b - a)),
  });

  function always(look: (life: Life, remindHoursLeft: readonly number[]) => void): void {
    fc.assert(
      fc.property(anyStory, ({ attempts, remindHoursLeft, ...story }) => {
        let turn = 0;
        const next = (): Attempt => attempts[turn++ % attempts.length] ?? { outcome: DENIED, takesMs: 0 };
        const settings = { ...SETTINGS, remindHoursLeft };
        look(live({ ...story, settings, attempt: next }), remindHoursLeft);
      }),
      { numRuns: 100 },
    );
  }

  it('no request is made after the deadline, and the capture ends as soon as it has passed', () => {
    always(({ attempts, end }) => {
      assert.ok(attempts.every(({ left }) => left > 0));
      assert.equal(end.state.name, 'expired');
      const lastEnd = Math.min(0, attempts.at(-1)?.ended ?? 0);
      assert.equal(end.state.name === 'expired' && end.state.at, DEADLINE_MS - lastEnd);
    });
  });

  it('the last attempt is under way in the last minute', () => {
    always(({ attempts }) => {
      const last = attempts.at(-1);
      assert.ok(last !== undefined && (last.left <= MINUTE_MS || last.ended <= MINUTE_MS), `${last?.left} ms left`);
    });
  });

  it('an attempt follows another after a second at the soonest', () => {
    always(({ attempts }) => {
      for (const [index, { left }] of attempts.slice(1).entries()) {
        const before = attempts[index]?.ended ?? 0;
        // The last one is not put off, even if it is just a moment away.
        assert.ok(before - left >= SECOND_MS || left === MINUTE_MS, `${before - left} ms after the one before`);
      }
    });
  });

  it('whoever waits is told at every hour that is set, unless they were within ten minutes before', () => {
    always(({ moments, told }, hours) => {
      for (const mark of hours.map((left) => left * HOUR_MS)) {
        const then = moments.findLast(({ left }) => left > mark)?.capture;
        if (then?.trouble === undefined || then.state.name === 'downloading') continue;
        const isTold = told.some(({ left }) => left >= mark && left <= mark + 10 * MINUTE_MS);
        assert.ok(isTold, `nothing was told with ${mark / HOUR_MS} h left`);
      }
    });
  });
});
