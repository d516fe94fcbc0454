import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { LoginHealth } from '../../src/download/index.ts';
import { DAY_MS, HOUR_MS } from '../../src/lib/clock.ts';
import { type LoginFacts, loginBack, loginDead, loginDying } from '../../src/login-watch/messages.ts';
import { type Message, messageSchema } from '../../src/notify/index.ts';
import { TEST_START_MS as NOW } from '../support/virtual-clock.ts';

/** Every text that people may get. Look at it in messages.golden.txt; UPDATE_GOLDEN=1 writes that file anew. */
const GOLDEN = new URL('./messages.golden.txt', import.meta.url);

const other = (kind: LoginHealth['kind']): LoginFacts['others'][number] => {
  const label = 'the cookies in /logins/cookies.txt';
  switch (kind) {
    case 'good':
      return { label, health: { kind, until: undefined, account: undefined } };
    case 'dying':
      return { label, health: { kind, until: NOW + HOUR_MS, account: undefined } };
    case 'dead':
    case 'unknown':
      return { label, health: { kind, detail: 'chatgpt.com refuses connections.' } };
  }
};

function token(...others: LoginFacts['others']): LoginFacts {
  return {
    label: 'the token in /logins/token',
    howToRenew: 'Hand a fresh access token to `chatkeep login chatgpt --token` (or put it into /logins/token).',
    others,
  };
}

const revoked = 'chatgpt.com does not accept it (401): it has expired or was revoked.';
const END = NOW + 2 * DAY_MS + 5 * HOUR_MS;

const ALL: Readonly<Record<string, Message>> = {
  'The only login has died': loginDead(token(), revoked, NOW),
  'The last login has died': loginDead(token(other('dead')), revoked, NOW),
  'A login has died, and another one works': loginDead(token(other('dead'), other('good')), revoked, NOW),
  'A login has died, and of the other one nothing is known': loginDead(token(other('unknown')), revoked, NOW),
  'The only login is about to end': loginDying(token(), END, NOW),
  'A login is about to end, and so is another': loginDying(token(other('dying')), END, NOW),
  'A login is back': loginBack(token(), undefined, NOW),
  'A login is back for a while': loginBack(token(), NOW + 9 * DAY_MS, NOW),
};

function page(): string {
  return Object.entries(ALL)
    .map(([when, { event, level, title, body, data }]) =>
      [`=== ${when} (${event}, ${level})`, title, '', body, '', JSON.stringify(data), ''].join('\n'),
    )
    .join('\n');
}

describe('The messages about logins', () => {
  it('read as in messages.golden.txt', async () => {
    if (process.env.UPDATE_GOLDEN === '1') await writeFile(GOLDEN, page());
    assert.equal(page(), await readFile(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes the file anew');
  });

  for (const [when, message] of Object.entries(ALL)) {
    it(`are of the form that services take, and say what is to be done: ${when}`, () => {
      messageSchema.parse(message);
      assert.match(message.body, /What to do|Nothing is left to do/);
      assert.match(message.body, /[Ee]xports? /);
    });
  }
});
