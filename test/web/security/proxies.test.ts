import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { csrfTokenIn, Door } from './visitor.ts';

const PAGE = '/conversations';
const PROXY = '172.18.0.5';
const byProxy = { password: null, trustedHeader: 'Remote-User', proxies: ['172.18.0.0/16'] };

describe('A reverse proxy that signs people in', () => {
  it('is believed from its addresses, also where they come inside IPv6', async () => {
    await using door = await Door.open(byProxy);
    for (const from of [PROXY, `::ffff:${PROXY}`]) {
      const page = await door.ask(PAGE, { from, headers: { 'remote-user': 'ada <ada>' } });
      assert.equal(page.status, 200);
      assert.match(await page.text(), /ada &lt;ada&gt;/);
    }
  });

  it('is believed from nowhere else', async () => {
    await using door = await Door.open(byProxy);
    for (const from of ['192.0.2.7', '127.0.0.1', '::1', '172.19.0.5', 'unknown']) {
      const page = await door.ask(PAGE, { from, headers: { 'remote-user': 'ada', 'x-forwarded-for': PROXY } });
      assert.equal(page.status, 403, from);
      assert.match(await page.text(), /opened through the reverse proxy/);
    }
  });

  it('has to name somebody', async () => {
    await using door = await Door.open(byProxy);
    for (const headers of [{}, { 'remote-user': '' }, { 'remote-user': ' ' }, { 'x-remote-user': 'ada' }] as Record<
      string,
      string
    >[]) {
      assert.equal((await door.ask(PAGE, { from: PROXY, headers })).status, 403);
    }
  });

  it('leaves the password to those who come past it', async () => {
    await using door = await Door.open({ ...byProxy, password: 'open sesame' });
    assert.equal((await door.ask(PAGE, { from: PROXY, headers: { 'remote-user': 'ada' } })).status, 200);
    assert.equal(
      (await door.ask(PAGE, { headers: { 'remote-user': 'ada' } })).headers.get('location'),
      '/sign-in?to=%2Fconversations',
    );
    const cookie = await door.signIn();
    assert.equal((await door.ask(PAGE, { headers: { cookie } })).status, 200);
  });

  it('gives each of its users a token of their own', async () => {
    await using door = await Door.open({ ...byProxy, password: 'open sesame' });
    const cookie = await door.signIn();
    const csrf = await csrfTokenIn(await door.ask(PAGE, { headers: { cookie } }));
    const as = (user: string) => ({ from: PROXY, headers: { 'remote-user': user, 'x-csrf-token': csrf } });
    assert.equal((await door.ask('/sign-out', { method: 'POST', ...as('ada') })).status, 403);
  });
});

describe('A reverse proxy in front', () => {
  const wrong = (door: Door, from: string, forwardedFor: string) =>
    door.ask('/sign-in', { form: { password: 'wrong' }, from, headers: { 'x-forwarded-for': forwardedFor } });

  it('tells who tries passwords', async () => {
    await using door = await Door.open({ proxies: ['172.18.0.0/16'] });
    for (let n = 0; n < 6; n += 1) await wrong(door, PROXY, '203.0.113.9');
    assert.equal((await wrong(door, PROXY, '203.0.113.9')).status, 429);
    assert.equal((await wrong(door, PROXY, '203.0.113.10')).status, 401);
    assert.equal(door.warnings[0]?.address, '203.0.113.9');
  });

  it('is not fooled by what the visitor has put before', async () => {
    await using door = await Door.open({ proxies: ['172.18.0.0/16'] });
    for (let n = 0; n < 6; n += 1) await wrong(door, PROXY, `203.0.113.${n}, 198.51.100.1, 172.18.0.9`);
    assert.equal((await wrong(door, PROXY, '203.0.113.99, 198.51.100.1')).status, 429);
  });

  it('is not believed what it says when it is none', async () => {
    await using door = await Door.open({ proxies: ['172.18.0.0/16'] });
    for (let n = 0; n < 6; n += 1) await wrong(door, '192.0.2.7', `203.0.113.${n}`);
    assert.equal((await wrong(door, '192.0.2.7', '203.0.113.99')).status, 429);
  });

  it('tells that the browser speaks https', async () => {
    await using door = await Door.open({ proxies: ['172.18.0.0/16'] });
    const headers = { 'x-forwarded-proto': 'https' };
    assert.match(await door.signIn({ from: PROXY, headers }), /^__Host-chatkeep=/);
    assert.match(await door.signIn({ headers }), /^chatkeep=/);
  });
});
