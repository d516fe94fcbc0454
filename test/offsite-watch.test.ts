import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS } from '../src/lib/clock.ts';
import { type Message, messageSchema } from '../src/notify/index.ts';
import { offsiteMessage } from '../src/offsite-watch.ts';
import { TEST_START_MS as NOW } from './support/virtual-clock.ts';

/** Every text that people may get. Look at it in offsite-messages.golden.txt; UPDATE_GOLDEN=1 writes that file anew. */
const GOLDEN = new URL('./offsite-messages.golden.txt', import.meta.url);

const late = {
  kind: 'late',
  since: NOW - 3 * DAY_MS,
  missing: 2,
  copiedAt: NOW - 17 * DAY_MS,
  trouble: 'restic does not accept the password for this repository: look at password_file.',
} as const;

const ALL: Readonly<Record<string, Message>> = {
  'Copies are late': offsiteMessage('cloud', late, NOW),
  'No copy was ever made': offsiteMessage('cloud', { ...late, missing: 1, copiedAt: null, trouble: null }, NOW),
  'What is there cannot be checked': offsiteMessage('cloud', { ...late, missing: 0 }, NOW + HOUR_MS),
  'What is there is not sound': offsiteMessage(
    'cloud',
    { kind: 'damaged', damage: 'ada@example.org/2026-11-21T190533Z is not there any more.' },
    NOW,
  ),
  'Copies are up to date again': offsiteMessage('cloud', { kind: 'recovered', from: 'late' }, NOW),
  'What is there is sound again': offsiteMessage('cloud', { kind: 'recovered', from: 'damaged' }, NOW),
};

function page(): string {
  return Object.entries(ALL)
    .map(([when, { event, level, title, body, data }]) =>
      [`=== ${when} (${event}, ${level})`, title, '', body, '', JSON.stringify(data), ''].join('\n'),
    )
    .join('\n');
}

describe('The messages about off-site copies', () => {
  it('read as in offsite-messages.golden.txt', async () => {
    if (process.env.UPDATE_GOLDEN === '1') await writeFile(GOLDEN, page());
    assert.equal(page(), await readFile(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes the file anew');
  });

  for (const [when, message] of Object.entries(ALL)) {
    it(`are of the form that services take, and say what it means for the backup: ${when}`, () => {
      messageSchema.parse(message);
      assert.match(message.body, /backup directory|Nothing is left to do/);
    });
  }
});
