import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, it, mock } from 'node:test';
import { DAY_MS, HOUR_MS } from '../../../src/lib/clock.ts';
import { ChatkeepError } from '../../../src/lib/errors.ts';
import { csrfTokenIn, Door, PASSWORD } from './visitor.ts';

const PAGE = '/conversations';

describe('Signing in', () => {
  it('is asked of whoever wants to see a page, and leads on to that page', async () => {
    await using door = await Door.open();
    const refused = await door.ask(`${PAGE}?q=a+b`);
    assert.equal(refused.status, 303);
    assert.equal(refused.headers.get('location'), '/sign-in?to=%2Fconversations%3Fq%3Da%2Bb');
    const form = await door.ask('/sign-in?to=%2Fconversations%3Fq%3Da%2Bb');
    assert.match(await form.text(), /name="to" value="\/conversations\?q=a\+b"/);
    const signedIn = await door.ask('/sign-in', { form: { password: PASSWORD, to: `${PAGE}?q=a+b` } });
    assert.equal(signedIn.status, 303);
    assert.equal(signedIn.headers.get('location'), `${PAGE}?q=a+b`);
  });

  it('shows every page from then on, to that browser alone', async () => {
    await using door = await Door.open();
    const cookie = await door.signIn();
    assert.equal((await door.ask(PAGE, { headers: { cookie } })).status, 200);
    assert.equal((await door.ask(PAGE)).status, 303);
    assert.equal((await door.ask(PAGE, { headers: { cookie: `${cookie}x` } })).status, 303);
    assert.equal((await door.ask('/sign-in', { headers: { cookie } })).headers.get('location'), '/');
  });

  it('answers scripts and changes with 401 rather than with the form', async () => {
    await using door = await Door.open();
    assert.equal((await door.ask(PAGE, { headers: { 'sec-fetch-mode': 'cors' } })).status, 401);
    assert.equal((await door.ask('/sign-out', { form: {} })).status, 401);
  });

  it('leaves static files and the sign-in itself to everybody, and nothing else', async () => {
    await using door = await Door.open();
    const form = await (await door.ask('/sign-in')).text();
    const [style = ''] = /\/static\/[^"]+style\.css/.exec(form) ?? [];
    assert.equal((await door.ask(style)).status, 200);
    assert.equal((await door.ask('/sign-in')).status, 200);
    for (const path of ['/', PAGE, '/snapshots', '/no-such-page', '/sign-out', '/upload', '/static/../conversations']) {
      assert.equal((await door.ask(path)).status, 303, path);
    }
  });

  it('takes no other password, and says so without saying what was typed', async () => {
    await using door = await Door.open();
    for (const password of ['open', 'open sesame ', 'OPEN SESAME', '<b>', 'x'.repeat(3_000)]) {
      const response = await door.ask('/sign-in', { form: { password }, from: `192.0.2.${password.length % 250}` });
      assert.equal(response.status, 401);
      assert.equal(response.headers.get('set-cookie'), null);
      const text = await response.text();
      assert.match(text, /This is not the password\./);
      assert(!text.includes('<b>'));
    }
    assert.equal((await door.ask('/sign-in', { form: { password: '' } })).status, 400);
  });

  it('takes the password however its letters were composed', async () => {
    await using door = await Door.open({ password: 'Gr\u00fc\u00dfe' });
    assert.equal((await door.ask('/sign-in', { form: { password: 'Gru\u0308\u00dfe' } })).status, 303);
  });

  it('keeps the session in a cookie that scripts and other sites do not get', async () => {
    await using door = await Door.open();
    const response = await door.ask('/sign-in', { form: { password: PASSWORD } });
    assert.match(
      response.headers.get('set-cookie') ?? '',
      /^chatkeep=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it('binds the cookie to https where the page is reached by it', async () => {
    const url = 'https://chatkeep.example.org';
    await using door = await Door.open({ url });
    const headers = { host: 'chatkeep.example.org' };
    const response = await door.ask('/sign-in', {
      form: { password: PASSWORD },
      headers: { ...headers, origin: url },
    });
    const cookie = response.headers.get('set-cookie') ?? '';
    assert.match(cookie, /^__Host-chatkeep=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const [pair = ''] = cookie.split(';');
    assert.equal((await door.ask(PAGE, { headers: { ...headers, cookie: pair } })).status, 200);
    // A cookie without the prefix may have been set by a neighbour of the domain.
    assert.equal((await door.ask(PAGE, { headers: { ...headers, cookie: pair.replace('__Host-', '') } })).status, 303);
  });
});

describe('A session', () => {
  it('outlives a restart, and only its hash is on the disk, for its owner alone', async () => {
    await using before = await Door.open();
    const cookie = await before.signIn();
    const [, token = ''] = cookie.split('=');
    const content = await readFile(before.sessionsPath, 'utf8');
    assert(!content.includes(token));
    assert(!content.includes(PASSWORD));
    assert.equal((await stat(before.sessionsPath)).mode & 0o777, 0o600);
    await using after = await Door.open({ sessionsPath: before.sessionsPath });
    assert.equal((await after.ask(PAGE, { headers: { cookie } })).status, 200);
  });

  it('ends with the sign-out, for good', async () => {
    await using door = await Door.open();
    const cookie = await door.signIn();
    const other = await door.signIn();
    const csrf = await csrfTokenIn(await door.ask(PAGE, { headers: { cookie } }));
    const out = await door.ask('/sign-out', { form: { csrf }, headers: { cookie } });
    assert.equal(out.headers.get('location'), '/sign-in');
    assert.match(out.headers.get('set-cookie') ?? '', /^chatkeep=; Max-Age=0; Path=\//);
    assert.equal((await door.ask(PAGE, { headers: { cookie } })).status, 303);
    assert.equal((await door.ask(PAGE, { headers: { cookie: other } })).status, 200);
    await using after = await Door.open({ sessionsPath: door.sessionsPath });
    assert.equal((await after.ask(PAGE, { headers: { cookie } })).status, 303);
  });

  it('ends when the password is another one', async () => {
    await using before = await Door.open();
    const cookie = await before.signIn();
    await using after = await Door.open({ sessionsPath: before.sessionsPath, password: 'another one' });
    assert.equal((await after.ask(PAGE, { headers: { cookie } })).status, 303);
    await using back = await Door.open({ sessionsPath: before.sessionsPath });
    assert.equal((await back.ask(PAGE, { headers: { cookie } })).status, 303);
  });

  it('lasts for 30 days after it was last used', async () => {
    let now = Date.UTC(2026, 10, 21);
    await using door = await Door.open({ now: () => now });
    const cookie = await door.signIn();
    for (let use = 0; use < 3; use += 1) {
      now += 29 * DAY_MS;
      const response = await door.ask(PAGE, { headers: { cookie } });
      assert.equal(response.status, 200);
      assert.match(response.headers.get('set-cookie') ?? '', /Max-Age=2592000/, 'the browser keeps it for longer, too');
    }
    now += HOUR_MS / 2;
    assert.equal((await door.ask(PAGE, { headers: { cookie } })).headers.get('set-cookie'), null);
    now += 30 * DAY_MS + HOUR_MS;
    assert.equal((await door.ask(PAGE, { headers: { cookie } })).status, 303);
  });

  it('is none where the file cannot be understood, and refused where a newer Chatkeep wrote it', async () => {
    await using before = await Door.open();
    await writeFile(before.sessionsPath, 'not JSON');
    await using after = await Door.open({ sessionsPath: before.sessionsPath });
    assert.equal((await after.ask(PAGE)).status, 303);
    await writeFile(before.sessionsPath, '{"format":2}');
    await assert.rejects(Door.open({ sessionsPath: before.sessionsPath }), ChatkeepError);
  });
});

describe('Wrong passwords', () => {
  const wrong = (door: Door, from: string) => door.ask('/sign-in', { form: { password: 'wrong' }, from });

  it('are taken five times from an address; then it says when to try again, and the log has a line', async () => {
    await using door = await Door.open();
    for (let n = 0; n < 5; n += 1) assert.equal((await wrong(door, '192.0.2.1')).status, 401);
    const refused = await door.ask('/sign-in', { form: { password: PASSWORD }, from: '192.0.2.1' });
    assert.equal(refused.status, 429);
    assert(Number(refused.headers.get('retry-after')) <= 15 * 60);
    assert.match(await refused.text(), /Too many wrong passwords\. Try again in 1\d min/);
    assert.equal((await door.ask('/sign-in', { form: { password: PASSWORD }, from: '192.0.2.2' })).status, 303);
    assert.deepEqual(
      door.warnings.map(({ msg, address }) => [msg, address]),
      [
        ...Array(5).fill(['somebody has tried to sign in to the web page with a wrong password', '192.0.2.1']),
        ['too many wrong passwords for the web page: no other is looked at for a while', '192.0.2.1'],
      ],
    );
  });

  it('are forgotten after a quarter of an hour, and after the right one', async (test) => {
    mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.UTC(2026, 10, 21) });
    test.after(() => mock.timers.reset());
    await using door = await Door.open();
    for (let n = 0; n < 6; n += 1) await wrong(door, '192.0.2.1');
    assert.equal((await wrong(door, '192.0.2.1')).status, 429);
    mock.timers.tick(15 * 60_000 + 1);
    for (let n = 0; n < 4; n += 1) assert.equal((await wrong(door, '192.0.2.1')).status, 401);
    await door.signIn({ from: '192.0.2.1' });
    for (let n = 0; n < 5; n += 1) assert.equal((await wrong(door, '192.0.2.1')).status, 401);
  });

  it('count for a whole network of IPv6', async () => {
    await using door = await Door.open();
    for (let n = 0; n < 5; n += 1) await wrong(door, `2001:db8::${n + 1}`);
    assert.equal((await wrong(door, '2001:db8::ffff:1')).status, 429);
    assert.equal((await wrong(door, '2001:db8:0:1::1')).status, 401);
  });

  it('are not looked at any more when all addresses together have made too many', async () => {
    await using door = await Door.open();
    const cookie = await door.signIn();
    const answers = await Promise.all(Array.from({ length: 61 }, (_, n) => wrong(door, `198.51.100.${n}`)));
    assert.equal(answers.filter(({ status }) => status === 401).length, 60);
    assert.equal((await door.ask('/sign-in', { form: { password: PASSWORD } })).status, 429);
    assert.equal((await door.ask(PAGE, { headers: { cookie } })).status, 200, 'who is signed in does not notice');
  });

  it('of one address do not keep the others out', async () => {
    await using door = await Door.open();
    for (let n = 0; n < 100; n += 1) await wrong(door, '192.0.2.1');
    assert.equal((await door.ask('/sign-in', { form: { password: PASSWORD } })).status, 303);
  });
});

describe('The page without a password', () => {
  it('is open, and says nothing of signing in', async () => {
    await using door = await Door.open({ password: null });
    const page = await door.ask(PAGE);
    assert.equal(page.status, 200);
    assert(!(await page.text()).includes('Sign out'));
    assert.equal((await door.ask('/sign-in')).headers.get('location'), '/');
    assert.equal((await door.ask('/sign-in', { form: { password: 'x' } })).headers.get('set-cookie'), null);
  });
});
