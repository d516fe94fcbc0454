import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import {
  type Delivery,
  DeliveryError,
  Dispatcher,
  type Message,
  type Outbox,
  type RetryAdvice,
  type Service,
  tellsOf,
  type Wishes,
} from '../../src/notify/index.ts';
import { settle, TEST_START_MS, VirtualClock } from '../support/virtual-clock.ts';
import { MESSAGE, noAbort, recordingLogger } from './support.ts';

interface Waiting extends Delivery {
  readonly due: number;
}

/** Stands for itself: no other message makes it out of date. */
const NEWS: Message = { ...MESSAGE, event: 'refused-notice', data: {} };

/** The contract of the port, in memory. */
class MemoryOutbox implements Outbox {
  waiting: Waiting[] = [];
  readonly errors: string[] = [];
  broken = false;
  #lastId = 0;

  record(recipients: readonly string[], title: string, at = TEST_START_MS, facts: Partial<Message> = {}): void {
    for (const recipient of recipients) {
      this.#lastId += 1;
      this.waiting.push({
        id: this.#lastId,
        recipient,
        attempts: 0,
        due: at,
        message: { ...NEWS, title, at, ...facts },
      });
    }
  }

  async due(now: number, recipients: string[]): Promise<Delivery[]> {
    if (this.broken) throw new Error('the disk is full');
    return this.waiting.filter(({ due, recipient }) => due <= now && recipients.includes(recipient));
  }

  async delivered(ids: readonly number[]): Promise<void> {
    this.waiting = this.waiting.filter(({ id }) => !ids.includes(id));
  }

  async postponed(ids: readonly number[], until: number, error: string): Promise<void> {
    this.errors.push(error);
    this.waiting = this.waiting.map((delivery) =>
      ids.includes(delivery.id) ? { ...delivery, due: until, attempts: delivery.attempts + 1 } : delivery,
    );
  }

  async held(ids: readonly number[], until: number): Promise<void> {
    this.waiting = this.waiting.map((delivery) => (ids.includes(delivery.id) ? { ...delivery, due: until } : delivery));
  }

  async nextDue(recipients: string[]): Promise<number | undefined> {
    const times = this.waiting.filter(({ recipient }) => recipients.includes(recipient)).map(({ due }) => due);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

/** A service that notes what arrives, and when; it fails while `failing`, and never answers while `hanging`. */
class TestService implements Service {
  readonly id: string;
  readonly label: string;
  failing = false;
  hanging = false;
  advice: RetryAdvice = {};
  /** The titles, those in a digest in the order of recording. */
  readonly arrived: string[] = [];
  readonly messages: Message[] = [];
  readonly keys: string[] = [];
  readonly tried: number[] = [];
  readonly #clock: VirtualClock;

  constructor(id: string, clock: VirtualClock) {
    this.id = id;
    this.label = `service ${id}`;
    this.#clock = clock;
  }

  async send(message: Message, { signal, key }: { signal: AbortSignal; key: string }): Promise<void> {
    this.tried.push(this.#clock.now());
    if (this.hanging) {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    }
    this.keys.push(key);
    if (this.failing) throw new DeliveryError(`${this.label} answered with status 500`, this.advice);
    this.messages.push(message);
    this.arrived.push(...titlesOf(message));
  }
}

/** A digest names the newest of equally important ones first. */
function titlesOf({ event, title, body }: Message): string[] {
  if (event !== 'digest') return [title];
  const lines = body.split('\n\n')[1] ?? '';
  return lines
    .split('\n')
    .map((line) => line.replace(/^.* UTC: /, ''))
    .reverse();
}

interface SetUp {
  readonly ids?: string[];
  readonly random?: () => number;
  readonly wishes?: Wishes;
  readonly start?: number;
}

function setUp({ ids = ['a'], random = () => 0.5, wishes = {}, start }: SetUp = {}) {
  const clock = new VirtualClock(start);
  const outbox = new MemoryOutbox();
  const services = ids.map((id) => new TestService(id, clock));
  const { logger, lines } = recordingLogger();
  const subscriptions = services.map((service) => ({ service, wishes }));
  /** To all but the one that it is about. */
  const tellOthers = async (message: Message) => {
    outbox.record(
      ids.filter((id) => !tellsOf(message, id)),
      message.title,
      message.at,
      message,
    );
    dispatcher.wake();
  };
  const dispatcher = new Dispatcher({ outbox, subscriptions, tellOthers, clock, random, logger });
  const [service] = services;
  assert(service !== undefined);
  return { clock, outbox, services, service, dispatcher, lines };
}

/** Runs the dispatcher for as long as `work` takes. */
async function running(dispatcher: Dispatcher, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const ended = dispatcher.run(stop.signal);
  try {
    await work();
  } finally {
    stop.abort();
    await ended;
  }
}

describe('the dispatcher', () => {
  it('delivers what waits, to every service, in the order of recording', async () => {
    const { clock, outbox, services, dispatcher } = setUp({ ids: ['a', 'b'] });
    outbox.record(['a', 'b'], 'first');
    outbox.record(['b'], 'second');
    await running(dispatcher, async () => {
      await clock.advance(0);
      assert.deepEqual(
        services.map(({ arrived }) => arrived),
        [['first'], ['first', 'second']],
      );
      assert.deepEqual(outbox.waiting, []);
    });
  });

  it('delivers what is recorded later as soon as it is woken', async () => {
    const { clock, outbox, service, dispatcher } = setUp();
    await running(dispatcher, async () => {
      await clock.advance(10 * MINUTE_MS);
      outbox.record(['a'], 'new', clock.now());
      dispatcher.wake();
      await clock.advance(0);
      assert.deepEqual(service.arrived, ['new']);
    });
  });

  it('tries a failed delivery again after 10 seconds, then ever later, up to once an hour', async () => {
    const { clock, outbox, service, dispatcher } = setUp({ random: () => 1 });
    service.failing = true;
    outbox.record(['a'], 'first');
    await running(dispatcher, async () => {
      await clock.advance(5 * HOUR_MS);
      const waits = service.tried.slice(1).map((at, index) => (at - (service.tried[index] ?? 0)) / SECOND_MS);
      assert.deepEqual(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
      service.failing = false;
      await clock.advance(HOUR_MS);
      assert.deepEqual(service.arrived, ['first']);
      assert.deepEqual(outbox.waiting, []);
    });
  });

  it('keeps the order: what was recorded after a message that failed waits for it', async () => {
    const { clock, outbox, service, dispatcher } = setUp();
    service.failing = true;
    outbox.record(['a'], 'first');
    await running(dispatcher, async () => {
      await clock.advance(0);
      service.failing = false;
      outbox.record(['a'], 'second');
      dispatcher.wake();
      await clock.advance(SECOND_MS);
      assert.deepEqual(service.arrived, []);
      await clock.advance(10 * SECOND_MS);
      assert.deepEqual(service.arrived, ['first', 'second']);
    });
  });

  it('lets no service wait for another that fails or hangs', async () => {
    const { clock, outbox, services, dispatcher } = setUp({ ids: ['failing', 'hanging', 'sound'] });
    const [failing, hanging, sound] = services;
    assert(failing !== undefined && hanging !== undefined && sound !== undefined);
    failing.failing = true;
    hanging.hanging = true;
    outbox.record(['failing', 'hanging', 'sound'], 'first');
    outbox.record(['failing', 'hanging', 'sound'], 'second');
    await running(dispatcher, async () => {
      await clock.advance(0);
      assert.deepEqual(sound.arrived, ['first', 'second']);
      assert.equal(failing.tried.length, 1);
      assert.equal(hanging.tried.length, 1);
    });
  });

  it('gives a message up when it is 30 days old, with a line in the log, and goes on with the next', async () => {
    const { clock, outbox, service, dispatcher, lines } = setUp();
    service.failing = true;
    outbox.record(['a'], 'old news');
    await running(dispatcher, async () => {
      await clock.advance(29 * DAY_MS);
      outbox.record(['a'], 'fresh news', clock.now());
      assert.equal(outbox.waiting.length, 2);
      await clock.advance(DAY_MS + 2 * HOUR_MS);
      assert.deepEqual(
        outbox.waiting.map(({ message }) => message.title),
        ['fresh news'],
      );
      assert(lines.includes('The notification "old news" could not be delivered for 30 days and is given up.'));
      service.failing = false;
      await clock.advance(HOUR_MS);
      assert.deepEqual(service.arrived, ['fresh news']);
    });
  });

  it('tries even a message of long ago once', async () => {
    const { clock, outbox, service, dispatcher } = setUp();
    outbox.record(['a'], 'from before a long holiday', TEST_START_MS - 30 * DAY_MS);
    await running(dispatcher, async () => {
      await clock.advance(0);
      assert.deepEqual(service.arrived, ['from before a long holiday']);
    });
  });

  it('logs a failing service once, then daily, then that it works again', async () => {
    const { clock, outbox, service, dispatcher, lines } = setUp();
    const failure =
      'A notification could not be delivered: service a answered with status 500. It is kept and tried again; backups go on.';
    service.failing = true;
    outbox.record(['a'], 'first');
    await running(dispatcher, async () => {
      await clock.advance(23 * HOUR_MS);
      assert.deepEqual(lines, [failure]);
      await clock.advance(26 * HOUR_MS);
      assert.deepEqual(lines, [failure, failure, failure]);
      service.failing = false;
      await clock.advance(2 * HOUR_MS);
      assert.deepEqual(lines.slice(3), ['Notifications are delivered again.', 'told service a: first']);
    });
  });

  it('waits for as long as the service asks for', async () => {
    const { clock, outbox, service, dispatcher } = setUp();
    service.failing = true;
    service.advice = { retryAfterMs: 20 * MINUTE_MS };
    outbox.record(['a'], 'first');
    await running(dispatcher, async () => {
      await clock.advance(20 * MINUTE_MS - 1);
      assert.equal(service.tried.length, 1);
      await clock.advance(1);
      assert.equal(service.tried.length, 2);
    });
  });

  it('gives a message up after as many attempts as make sense, and goes on with the next', async () => {
    const { clock, outbox, service, dispatcher, lines } = setUp();
    service.failing = true;
    service.advice = { mostAttempts: 3 };
    outbox.record(['a'], 'first');
    outbox.record(['a'], 'second');
    await running(dispatcher, async () => {
      await clock.advance(5 * MINUTE_MS);
      assert.deepEqual(outbox.waiting, []);
      assert.equal(service.tried.length, 6);
      assert(
        lines.includes(
          'The notification "first" could not be delivered in 3 attempts (service a answered with status 500) and is given up.',
        ),
      );
    });
  });

  it('has the same key for each attempt at a message, and another one for the next message', async () => {
    const { clock, outbox, service, dispatcher } = setUp();
    service.failing = true;
    outbox.record(['a'], 'first');
    await running(dispatcher, async () => {
      await clock.advance(MINUTE_MS);
      service.failing = false;
      outbox.record(['a'], 'second', clock.now());
      await clock.advance(5 * MINUTE_MS);
    });
    assert.deepEqual(service.arrived, ['first', 'second']);
    assert(service.keys.length > 3);
    assert.equal(new Set(service.keys).size, 2);
  });

  it('survives a service that is dead for a week: nothing gathers in memory, and one message tells what still matters', async () => {
    const { clock, outbox, service, dispatcher, lines } = setUp();
    service.failing = true;
    await running(dispatcher, async () => {
      for (let hour = 0; hour < 7 * 24; hour += 1) {
        const capture = `c${Math.floor(hour / 24)}`;
        const isEnd = hour % 24 === 23;
        outbox.record(['a'], isEnd ? `${capture} was kept` : `${capture} waits`, clock.now(), {
          event: isEnd ? 'snapshot-committed' : 'needs-login',
          level: isEnd ? 'success' : 'warning',
          data: { capture },
        });
        dispatcher.wake();
        await clock.advance(HOUR_MS);
      }
      assert.equal(outbox.waiting.length, 7 * 24);
      assert(service.tried.length < 2 * 7 * 24, `${service.tried.length} attempts`);
      assert.equal(clock.sleeping, 1);
      assert(lines.length <= 8, lines.join('\n'));
      service.failing = false;
      await clock.advance(2 * HOUR_MS);
    });
    assert.deepEqual(outbox.waiting, []);
    assert.equal(service.messages.length, 1);
    assert.equal(service.messages[0]?.title, '7 messages about your ChatGPT backup');
    assert.deepEqual(
      service.arrived,
      ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6'].map((capture) => `${capture} was kept`),
    );
    assert.match(service.messages[0].body, /161 others were left out, being out of date/);
  });

  it('tells the other services of one that has not worked for an hour, once, and that it works again', async () => {
    const { clock, outbox, services, dispatcher } = setUp({ ids: ['dead', 'sound'] });
    const [dead, sound] = services;
    assert(dead !== undefined && sound !== undefined);
    dead.failing = true;
    outbox.record(['dead'], 'first');
    await running(dispatcher, async () => {
      await clock.advance(50 * MINUTE_MS);
      assert.deepEqual(sound.arrived, []);
      await clock.advance(3 * DAY_MS);
      assert.deepEqual(sound.arrived, ['Notifications do not arrive at one of your addresses']);
      assert.match(
        sound.messages[0]?.body ?? '',
        /^Since 2026-11-21 19:05 UTC, nothing could be delivered by service dead: /,
      );
      dead.failing = false;
      await clock.advance(2 * HOUR_MS);
    });
    assert.deepEqual(sound.arrived.slice(1), ['Notifications arrive again']);
    assert.deepEqual(dead.arrived, ['first']);
  });

  it('does not tell the others again after a restart', async () => {
    const { clock, outbox, services, dispatcher } = setUp({ ids: ['dead', 'sound'] });
    const [dead, sound] = services;
    assert(dead !== undefined && sound !== undefined);
    dead.failing = true;
    outbox.record(['dead'], 'first');
    outbox.waiting = outbox.waiting.map((delivery) => ({ ...delivery, attempts: 9 }));
    await clock.advance(DAY_MS);
    await running(dispatcher, () => clock.advance(DAY_MS));
    assert.deepEqual(sound.arrived, []);
  });

  it('leaves in the outbox what is cut short when it stops', async () => {
    const { clock, outbox, service, dispatcher, lines } = setUp();
    service.hanging = true;
    outbox.record(['a'], 'first');
    await running(dispatcher, () => clock.advance(0));
    assert.deepEqual(
      outbox.waiting.map(({ attempts }) => attempts),
      [0],
    );
    assert.deepEqual(lines, []);
    assert.equal(clock.sleeping, 0);
  });

  it('goes on when the outbox works again', async () => {
    const { clock, outbox, service, dispatcher, lines } = setUp();
    outbox.record(['a'], 'first');
    outbox.broken = true;
    await running(dispatcher, async () => {
      await clock.advance(SECOND_MS);
      assert.match(lines.join(), /^The notifications in the journal cannot be read/);
      outbox.broken = false;
      await clock.advance(MINUTE_MS);
      assert.deepEqual(service.arrived, ['first']);
    });
  });

  it('shows no address in what it records and logs, even if a service throws one', async () => {
    const { clock, outbox, service, dispatcher, lines } = setUp();
    service.send = async () => {
      throw new Error('cannot reach https://ntfy.example.org/geheim');
    };
    outbox.record(['a'], 'first');
    await running(dispatcher, () => clock.advance(0));
    assert.equal(outbox.errors.length, 1);
    assert(![...outbox.errors, ...lines].join().includes('geheim'));
  });

  it('counts services of the same address once', async () => {
    const { clock, outbox, services, dispatcher } = setUp({ ids: ['a', 'a'] });
    outbox.record(['a'], 'first');
    await running(dispatcher, () => clock.advance(0));
    assert.deepEqual(
      services.flatMap(({ arrived }) => arrived),
      ['first'],
    );
  });

  it('delivers what either of two entries of the same address wants, once', async () => {
    const { clock, outbox, service } = setUp();
    const { logger } = recordingLogger();
    const dispatcher = new Dispatcher({
      outbox,
      subscriptions: [
        { service, wishes: { events: ['refused-notice'] } },
        { service, wishes: { minLevel: 'failure' } },
      ],
      tellOthers: async () => {},
      clock,
      random: () => 0.5,
      logger,
    });
    outbox.record(['a'], 'by the first');
    outbox.record(['a'], 'by the second', TEST_START_MS, { event: 'expired', level: 'failure' });
    outbox.record(['a'], 'by both', TEST_START_MS, { level: 'failure' });
    outbox.record(['a'], 'by none', TEST_START_MS, { event: 'duplicate', level: 'info' });
    await dispatcher.flush(new AbortController().signal, { timeLimitMs: 60_000 });
    assert.deepEqual(service.arrived, ['by the first', 'by the second', 'by both']);
    assert.deepEqual(outbox.waiting, []);
  });

  it('delivers everything, in order and never out of it, however a service comes and goes', async () => {
    const steps = fc.array(
      fc.record({ minutes: fc.integer({ min: 0, max: 90 }), failing: fc.boolean(), record: fc.boolean() }),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (course) => {
        const { clock, outbox, service, dispatcher } = setUp();
        const recorded: string[] = [];
        await running(dispatcher, async () => {
          for (const [index, { minutes, failing, record }] of course.entries()) {
            service.failing = failing;
            if (record) {
              recorded.push(String(index));
              outbox.record(['a'], String(index), clock.now());
              dispatcher.wake();
            }
            await clock.advance(minutes * MINUTE_MS);
            assert.deepEqual(service.arrived, recorded.slice(0, service.arrived.length));
          }
          service.failing = false;
          await clock.advance(2 * HOUR_MS);
          assert.deepEqual(service.arrived, recorded);
        });
      }),
      { numRuns: 40 },
    );
  });
});

describe('a flush', () => {
  it('tries what is due once, and leaves what fails', async () => {
    const { outbox, services, dispatcher, clock } = setUp({ ids: ['failing', 'sound'] });
    const [failing, sound] = services;
    assert(failing !== undefined && sound !== undefined);
    failing.failing = true;
    outbox.record(['failing', 'sound'], 'first');
    outbox.record(['failing', 'sound'], 'second');
    await dispatcher.flush(noAbort(), { timeLimitMs: 5 * SECOND_MS });
    assert.deepEqual(sound.arrived, ['first', 'second']);
    assert.equal(failing.tried.length, 1);
    assert.equal(outbox.waiting.length, 2);
    await settle();
    assert.equal(clock.sleeping, 0);
  });

  it('ends at its time limit, and what was cut short stays in the outbox', async () => {
    const { outbox, service, dispatcher, clock } = setUp();
    service.hanging = true;
    outbox.record(['a'], 'first');
    const flushed = dispatcher.flush(noAbort(), { timeLimitMs: 5 * SECOND_MS });
    await clock.advance(5 * SECOND_MS);
    await flushed;
    assert.deepEqual(
      outbox.waiting.map(({ attempts }) => attempts),
      [0],
    );
  });

  it('does not fail when the outbox does', async () => {
    const { outbox, dispatcher, lines } = setUp();
    outbox.broken = true;
    await dispatcher.flush(noAbort(), { timeLimitMs: SECOND_MS });
    assert.match(lines.join(), /could not be read or written/);
  });
});
