import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { type Delivery, DeliveryError, Dispatcher, type Outbox, type Service } from '../../src/notify/index.ts';
import { settle, TEST_START_MS, VirtualClock } from '../support/virtual-clock.ts';
import { MESSAGE, noAbort, recordingLogger } from './support.ts';

interface Waiting extends Delivery {
  readonly due: number;
}

/** The contract of the port, in memory. */
class MemoryOutbox implements Outbox {
  waiting: Waiting[] = [];
  readonly errors: string[] = [];
  broken = false;
  #lastId = 0;

  record(recipients: readonly string[], title: string, at = TEST_START_MS): void {
    for (const recipient of recipients) {
      this.#lastId += 1;
      this.waiting.push({ id: this.#lastId, recipient, attempts: 0, due: at, message: { ...MESSAGE, title, at } });
    }
  }

  async due(now: number, recipients: string[]): Promise<Delivery[]> {
    if (this.broken) throw new Error('the disk is full');
    return this.waiting.filter(({ due, recipient }) => due <= now && recipients.includes(recipient));
  }

  async delivered(id: number): Promise<void> {
    this.waiting = this.waiting.filter((delivery) => delivery.id !== id);
  }

  async postponed(id: number, until: number, error: string): Promise<void> {
    this.errors.push(error);
    this.waiting = this.waiting.map((delivery) =>
      delivery.id === id ? { ...delivery, due: until, attempts: delivery.attempts + 1 } : delivery,
    );
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
  readonly arrived: string[] = [];
  readonly tried: number[] = [];
  readonly #clock: VirtualClock;

  constructor(id: string, clock: VirtualClock) {
    this.id = id;
    this.label = `service ${id}`;
    this.#clock = clock;
  }

  async send({ title }: { title: string }, { signal }: { signal: AbortSignal }): Promise<void> {
    this.tried.push(this.#clock.now());
    if (this.hanging) {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    }
    if (this.failing) throw new DeliveryError(`${this.label} answered with status 500`);
    this.arrived.push(title);
  }
}

function setUp({ ids = ['a'], random = () => 0.5 }: { ids?: string[]; random?: () => number } = {}) {
  const clock = new VirtualClock();
  const outbox = new MemoryOutbox();
  const services = ids.map((id) => new TestService(id, clock));
  const { logger, lines } = recordingLogger();
  const dispatcher = new Dispatcher({ outbox, services, clock, random, logger });
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

  it('gives a message up when it is 7 days old, with a line in the log, and goes on with the next', async () => {
    const { clock, outbox, service, dispatcher, lines } = setUp();
    service.failing = true;
    outbox.record(['a'], 'old news');
    await running(dispatcher, async () => {
      await clock.advance(6 * DAY_MS);
      outbox.record(['a'], 'fresh news', clock.now());
      assert.equal(outbox.waiting.length, 2);
      await clock.advance(DAY_MS + 2 * HOUR_MS);
      assert.deepEqual(
        outbox.waiting.map(({ message }) => message.title),
        ['fresh news'],
      );
      assert(lines.includes('The notification "old news" could not be delivered for 7 days and is given up.'));
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
      assert.deepEqual(lines.slice(3), ['Notifications are delivered again.']);
    });
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
