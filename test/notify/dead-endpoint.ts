/**
 * A week with an endpoint that is dead, in virtual time and with the real journal, in a process of its own so that its
 * heap can be measured: prints a {@link DeadWeek}. The directory of the journal is the only argument.
 */
import { join } from 'node:path';
import { openSqliteJournal } from '../../src/capture/index.ts';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { DeliveryError, Dispatcher, type Message, type Service } from '../../src/notify/index.ts';
import { TEST_START_MS, VirtualClock } from '../support/virtual-clock.ts';

/** What came of the week. Bytes of heap after a collection of what is of no use. */
export interface DeadWeek {
  readonly messages: number;
  readonly attempts: number;
  readonly heapAfterDay: number;
  readonly heapAfterWeek: number;
  /** Events of what arrived once the endpoint was back. */
  readonly arrived: readonly string[];
  readonly stillWaiting: number;
}

const HOURS = 7 * 24;
/** One in half an hour: as many as a person gets in years. */
const MESSAGES_AN_HOUR = 2;

/** Long, so that texts that are held in memory stand out. */
const BODY_BYTES = 20_000;

const [directory = ''] = process.argv.slice(2);
const clock = new VirtualClock();
let isDead = true;
let attempts = 0;
const arrived: string[] = [];
const service: Service = {
  id: 'endpoint',
  label: 'the endpoint',
  async send({ event }) {
    attempts += 1;
    if (isDead) throw new DeliveryError('the endpoint could not be reached (ECONNREFUSED)');
    arrived.push(event);
  },
};
const journal = openSqliteJournal(join(directory, 'journal.sqlite'));
const dispatcher = new Dispatcher({
  outbox: journal,
  subscriptions: [{ service, wishes: {} }],
  tellOthers: async () => {},
  clock,
  random: () => 0.5,
  logger: silentLogger,
});
const stop = new AbortController();
const running = dispatcher.run(stop.signal);

let messages = 0;
let heapAfterDay = 0;
for (let hour = 1; hour <= HOURS; hour += 1) {
  for (let n = 0; n < MESSAGES_AN_HOUR; n += 1) {
    messages += 1;
    await journal.record({ notifications: [{ message: messageNumber(messages), recipients: [service.id] }] });
    dispatcher.wake();
    await clock.advance(HOUR_MS / MESSAGES_AN_HOUR);
  }
  if (hour === 24) heapAfterDay = heapInUse();
}
const heapAfterWeek = heapInUse();
const inVain = attempts;
isDead = false;
await clock.advance(2 * HOUR_MS);
const { count: stillWaiting } = await journal.undelivered();
stop.abort();
await running;
await journal[Symbol.asyncDispose]();
const week: DeadWeek = { messages, attempts: inVain, heapAfterDay, heapAfterWeek, arrived, stillWaiting };
process.stdout.write(JSON.stringify(week));

function messageNumber(n: number): Message {
  return {
    event: 'refused-notice',
    level: 'warning',
    title: `An email was refused, number ${n}`,
    body: `What it was, and what to do. ${'x'.repeat(BODY_BYTES)}`,
    at: TEST_START_MS + ((n - 1) * HOUR_MS) / MESSAGES_AN_HOUR,
    data: {},
  };
}

function heapInUse(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
