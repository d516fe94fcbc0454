import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import type { MailboxState } from '../src/mailbox/index.ts';
import { type Message, messageSchema } from '../src/notify/index.ts';
import { OutageReporter } from '../src/outages.ts';
import { settle, VirtualClock } from './support/virtual-clock.ts';

const away: MailboxState = {
  name: 'waiting',
  until: 0,
  attempt: 1,
  trouble: { kind: 'unreachable', detail: 'The mail server cannot be used just now: ECONNREFUSED.' },
};
const refused: MailboxState = { ...away, trouble: { kind: 'sign-in-refused', detail: 'The mail server says no.' } };
const watching: MailboxState = { name: 'watching', since: 0, lastAnswer: 0, trouble: undefined };

function scene() {
  const clock = new VirtualClock();
  const recorded: Message[] = [];
  const faults: Error[] = [];
  const reporter = new OutageReporter({
    mailbox: 'ada',
    clock,
    logger: silentLogger,
    recorder: {
      async record({ messages = [] }) {
        const fault = faults.shift();
        if (fault !== undefined) throw fault;
        recorded.push(...messages);
      },
    },
  });
  return { clock, recorded, faults, reporter };
}

describe('The reporter of outages', () => {
  it('tells of a mailbox that is away, and that it is back', async () => {
    const { clock, recorded, reporter } = scene();
    reporter.look(away);
    await clock.advance(HOUR_MS);
    reporter.look(away);
    reporter.look(watching);
    await settle();
    assert.deepEqual(
      recorded.map(({ event }) => event),
      ['trouble', 'recovered'],
    );
    assert.match(recorded[0]?.body ?? '', /"ada" has not been readable since 2026-11-21 19:05 UTC\. .*ECONNREFUSED/);
    assert.match(recorded[1]?.body ?? '', /can be read again, after 1 h/);
    for (const message of recorded) messageSchema.parse(message);
  });

  it('tells at once of a refused sign-in, and what to do', async () => {
    const { recorded, reporter } = scene();
    reporter.look(refused);
    await settle();
    assert.equal(recorded[0]?.level, 'failure');
    assert.match(recorded[0].body, /The mail server says no\..*\n.*Check the user and the password/);
  });

  it('tells later what could not be recorded, in order', async () => {
    const { recorded, faults, reporter } = scene();
    faults.push(new Error('the disk is full'), new Error('the disk is full'));
    reporter.look(refused);
    await settle();
    reporter.look(watching);
    await settle();
    assert.deepEqual(recorded, []);
    reporter.look(watching);
    await settle();
    assert.deepEqual(
      recorded.map(({ event }) => event),
      ['trouble', 'recovered'],
    );
  });
});
