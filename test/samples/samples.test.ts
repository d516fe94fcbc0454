import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NOTIFICATION_EVENTS } from '../../src/config/index.ts';
import { DAY_MS } from '../../src/lib/clock.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { messageSchema } from '../../src/notify/index.ts';
import { SAMPLES, type SampleSetting, sampleNamed, sampleOf } from '../../src/samples/index.ts';
import { TEST_START_MS as NOW } from '../support/virtual-clock.ts';

const SETTING: SampleSetting = {
  mailbox: 'ann@example.org',
  account: 'ann',
  backupDir: '/backups',
  dropDir: '/drop',
  offsite: 'attic',
  remindAgainMs: 7 * DAY_MS,
};

describe('The samples of what people are told', () => {
  it('are of every event that there is', () => {
    const events = new Set(SAMPLES.map(({ event }) => event));
    assert.deepEqual([...events, 'test'].sort(), [...NOTIFICATION_EVENTS].sort());
  });

  it('have names that differ, and differ from the names of other events', () => {
    const names = SAMPLES.map(({ name }) => name);
    assert.deepEqual(new Set(names).size, names.length);
    for (const { name, event } of SAMPLES) {
      const isEvent = NOTIFICATION_EVENTS.some((each) => each === name);
      assert.ok(!isEvent || name === event, name);
    }
  });

  it('differ from each other in what they say', () => {
    const titles = SAMPLES.map((sample) => sampleOf(sample, SETTING, NOW).title);
    assert.equal(new Set(titles).size, titles.length, titles.join('\n'));
  });

  for (const sample of SAMPLES) {
    it(`${sample.name}: is of the event that it is listed with, and marked as a sample around the real text`, () => {
      const [real, message] = [sample.make(SETTING, NOW), sampleOf(sample, SETTING, NOW)];
      assert.equal(message.event, sample.event);
      assert.equal(message.title, `Sample: ${real.title}`);
      assert.match(message.body, /^This is a sample that you asked for/);
      assert.ok(message.body.endsWith(real.body));
      assert.equal(message.data.sample, true);
      assert.deepEqual(messageSchema.parse(message), message);
    });

    it(`${sample.name}: has every figure in place`, () => {
      assert.doesNotMatch(JSON.stringify(sample.make(SETTING, NOW)), /undefined|NaN|Invalid|\[object/);
    });
  }

  it('name the mailbox, the folders and the places of the configuration', () => {
    const text = JSON.stringify(SAMPLES.map((sample) => sampleOf(sample, SETTING, NOW)));
    for (const name of ['ann@example.org', '/backups', '/drop', 'attic']) assert.ok(text.includes(name), name);
  });
});

describe('A sample', () => {
  it('is found by its own name, or as the first of an event', () => {
    assert.equal(sampleNamed('mailbox-back').name, 'mailbox-back');
    assert.equal(sampleNamed('trouble').event, 'trouble');
    assert.equal(sampleNamed('disk-low').name, 'disk-low');
  });

  it('that does not exist is refused with those that do, and a guess', () => {
    assert.throws(() => sampleNamed('expird'), {
      class: 'usage',
      message: /did you mean expired\? There are: .*mailbox-back/,
    });
    assert.throws(
      () => sampleNamed('x'),
      (error) => error instanceof ChatkeepError && error.exitCode === 2,
    );
  });
});
