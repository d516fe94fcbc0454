import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { returnAddress } from '../../../src/web/security/return-address.ts';
import { csrfTokenIn, Door, PASSWORD } from './visitor.ts';

const PAGE = '/conversations';

describe('The names of the page', () => {
  it('are addresses, localhost, and those that were set', async () => {
    await using door = await Door.open({ url: 'https://chatkeep.example.org', hosts: ['nas.local'] });
    const known = [
      '127.0.0.1:8788',
      '[::1]:8788',
      '192.168.1.5',
      'localhost:8788',
      'chatkeep.example.org',
      'NAS.local:8788',
    ];
    for (const host of known) assert.equal((await door.ask('/sign-in', { headers: { host } })).status, 200, host);
  });

  it('are no others: a foreign name that leads here reads nothing', async () => {
    await using door = await Door.open({ password: null });
    const foreign = [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'evil.example:8788',
      'a@localhost',
      'localhost/x',
      '',
    ];
    for (const host of foreign) {
      for (const path of [PAGE, '/static/x/style.css']) {
        assert.equal((await door.ask(path, { headers: { host } })).status, 421, host);
      }
    }
    const answer = await (await door.ask(PAGE, { headers: { host: 'nas:8788' } })).text();
    assert.match(answer, /If <code>nas<\/code> is a name of this machine, add it to\s+<code>web.hosts<\/code>/);
  });
});

describe('What changes something', () => {
  const send = (door: Door, headers: Record<string, string>) =>
    door.ask('/sign-in', { form: { password: PASSWORD }, headers });

  it('is taken from a page of ours', async () => {
    await using door = await Door.open({ hosts: ['nas'] });
    for (const headers of [
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'same-origin', origin: 'null' },
      { origin: 'http://localhost:8788' },
      { host: 'nas', origin: 'http://nas' },
      { host: 'nas', origin: 'https://nas' },
      { host: 'nas:443', origin: 'https://nas' },
    ]) {
      assert.equal((await send(door, headers)).status, 303, JSON.stringify(headers));
    }
  });

  it('is not taken from anywhere else', async () => {
    await using door = await Door.open();
    for (const headers of [
      { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:8788' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { origin: 'null' },
      { origin: '' },
      { origin: 'http://evil.example' },
      { origin: 'http://localhost:8789' },
      { origin: 'http://localhost:8788.evil.example' },
    ]) {
      const answer = await send(door, headers);
      assert.equal(answer.status, 403, JSON.stringify(headers));
      assert.match(await answer.text(), /Nothing has been changed/);
    }
  });

  it('needs the token of its session beside', async () => {
    await using door = await Door.open();
    const [cookie, other] = [await door.signIn(), await door.signIn()];
    const ofOther = await csrfTokenIn(await door.ask(PAGE, { headers: { cookie: other } }));
    for (const form of [{}, { csrf: '' }, { csrf: ofOther }] as Record<string, string>[]) {
      const answer = await door.ask('/sign-out', { form, headers: { cookie } });
      assert.equal(answer.status, 403);
      assert.match(await answer.text(), /This page was open for too long/);
    }
    const csrf = await csrfTokenIn(await door.ask(PAGE, { headers: { cookie } }));
    const byScript = { cookie, 'x-csrf-token': csrf };
    assert.equal((await door.ask('/sign-out', { method: 'POST', headers: byScript })).status, 303);
  });

  it('is a form of a few words', async () => {
    await using door = await Door.open();
    assert.equal((await door.ask('/sign-in', { form: { password: 'x'.repeat(70_000) } })).status, 413);
  });
});

describe('The way back after the sign-in', () => {
  it('leads to a page of ours, whatever is asked for', () => {
    for (const [wish, way] of [
      ['/conversations/7?through=a#x', '/conversations/7?through=a'],
      ['/', '/'],
      [undefined, '/'],
      ['', '/'],
      ['https://evil.example/', '/'],
      ['//evil.example/', '/'],
      ['/\\evil.example/', '/'],
      ['/\t/evil.example', '/'],
      ['/.//evil.example', '/'],
      ['/a/..//evil.example', '/'],
      ['javascript:alert(1)', '/'],
      ['evil.example', '/'],
      ['/sign-in?to=/sign-in', '/'],
    ] as const) {
      assert.equal(returnAddress(wish), way, wish);
    }
  });

  it('never leaves the site, as a browser reads it', () => {
    const pieces = fc.constantFrom(
      '/',
      '\\',
      '\t',
      '\n',
      '.',
      '..',
      ':',
      '@',
      'evil.example',
      'http:',
      '%2f',
      '?',
      '#',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (wish) => {
          const url = new URL(returnAddress(wish), 'https://chatkeep.example.org/sign-in');
          assert.equal(url.origin, 'https://chatkeep.example.org');
        },
      ),
    );
  });
});

describe('Reports of the policy', () => {
  const report = (blocked: string) =>
    JSON.stringify({
      'csp-report': {
        'effective-directive': 'script-src',
        'blocked-uri': blocked,
        'document-uri': 'http://localhost:8788/conversations/7?q=private',
      },
    });
  const send = (door: Door, body: string) =>
    door.ask('/csp-report', { body, headers: { 'content-type': 'application/csp-report', origin: 'null' } });

  it('are logged once of a kind, without what was looked for', async () => {
    await using door = await Door.open();
    for (const blocked of ['inline', 'inline', 'https://evil.example/x.js', 'inline']) {
      assert.equal((await send(door, report(blocked))).status, 204);
    }
    assert.deepEqual(
      door.warnings.map(({ directive, blocked, page }) => ({ directive, blocked, page })),
      ['inline', 'https://evil.example/x.js'].map((blocked) => {
        return { directive: 'script-src', blocked, page: '/conversations/7' };
      }),
    );
  });

  it('are small and few, and what steers a terminal is made harmless', async () => {
    await using door = await Door.open();
    assert.equal((await send(door, report('x'.repeat(20_000)))).status, 413);
    assert.equal((await send(door, 'no JSON')).status, 400);
    assert.equal((await send(door, report('\u001b[2J'))).status, 204);
    assert.equal(door.warnings.at(-1)?.blocked, '\\u{1b}[2J');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => send(door, report(`https://a.example/${n}`))),
    );
    assert(answers.some(({ status }) => status === 429));
    assert(door.warnings.length <= 30);
  });
});

describe('Headers', () => {
  it('are as strict on refusals as on pages', async () => {
    await using door = await Door.open();
    for (const answer of [
      await door.ask(PAGE),
      await door.ask('/sign-in'),
      await door.ask('/sign-in', { headers: { host: 'evil.example' } }),
      await door.ask('/sign-in', { form: {}, headers: { origin: 'http://evil.example' } }),
      await door.ask('/no-such-page', { headers: { cookie: await door.signIn() } }),
    ]) {
      assert.match(
        answer.headers.get('content-security-policy') ?? '',
        /^default-src 'none';.*report-uri \/csp-report$/,
      );
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(answer.headers.get('cache-control'), 'private, no-store');
      // With no-referrer, browsers leave the origin out of our own forms.
      assert.equal(answer.headers.get('referrer-policy'), 'same-origin');
    }
  });
});
