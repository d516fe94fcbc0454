import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Secret } from '../../src/lib/secret.ts';
import { type Fetch, parseAddress } from '../../src/notify/index.ts';
import { KEY, MESSAGE, noAbort } from './support.ts';

const APPRISE_REQUESTS = fileURLToPath(new URL('apprise-requests.py', import.meta.url));

const TELEGRAM_TOKEN = '123456789:AbC-d_eFGHIJKLMNOPQRSTUVWXYZabcdefgh';
const [USER, TOKEN] = ['uSeR0123456789uSeR0123456789aB', 'aPp0123456789aPp0123456789aBcD'];

/** Apprise names what Pushover does when no device is named. */
const ALL_DEVICES = 'ALL_DEVICES';

/** Where both dialects of one scheme differ on TLS, the forms are taken that say it in Apprise's own. */
const ADDRESSES = [
  'discord://4711123/To-ken_1',
  'discord://bot@4711123/To-ken_1?footer=yes&avatar=no',
  'https://discord.com/api/webhooks/4711123/To-ken_1',
  'slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ',
  'slack://bot@T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?image=no',
  'https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ',
  `tgram://${TELEGRAM_TOKEN}/-1001234`,
  `tgram://bot${TELEGRAM_TOKEN}/12345/channel/`,
  `pover://${USER}@${TOKEN}`,
  `pover://${USER}@${TOKEN}/phone?priority=high`,
  'gotifys://gotify.example.org/T0ken',
  'gotifys://gotify.example.org:8443/a/b/T0ken?priority=high',
  'ntfys://ntfy.example.org/topic',
  'ntfys://ada:p%40w@ntfy.example.org:8443/topic',
  'ntfys://ntfy.example.org/one/two',
  'ntfy://topic',
  'https://ntfy.sh/topic',
  'apprise://gate.example.org:8000/key',
  'apprises://ada:p%40w@gate.example.org/path/key?tags=home',
  'json://ada:p%40w@hook.example.org:8080/some/path',
  'jsons://hook.example.org/',
];

/** What matters of a request: who is asked to bring it to whom, and how urgent it is if the address says so. */
interface Reach {
  url: string;
  authorization: string | undefined;
  credentials: Record<string, unknown>;
}

const bodySchema = z.record(z.string(), z.unknown());
const madeSchema = z.record(
  z.string(),
  z.array(
    z.object({
      url: z.string(),
      body: bodySchema,
      headers: z.record(z.string(), z.string()),
      auth: z.tuple([z.string(), z.string()]).nullable(),
    }),
  ),
);

function reachOf(url: string, body: Record<string, unknown>, headers: Headers, address: string): Reach {
  const { origin, pathname } = new URL(url);
  const isPushover = address.startsWith('pover');
  const keys = ['chat_id', 'topic', 'token', 'user', 'device', ...(address.includes('priority=') ? ['priority'] : [])];
  return {
    url: `${origin}${pathname.replace(/\/$/, '')}`,
    // Apprise sends Pushover's token there as well, where Pushover does not look for it.
    authorization: isPushover ? undefined : (headers.get('authorization') ?? undefined),
    credentials: {
      ...Object.fromEntries(
        keys.flatMap((key) => (body[key] === undefined || body[key] === ALL_DEVICES ? [] : [[key, String(body[key])]])),
      ),
      // One tag or a list of them.
      tag: [body.tag ?? []].flat(),
      gotifyKey: headers.get('x-gotify-key'),
    },
  };
}

function reachByApprise(): Map<string, Reach[]> {
  const { stdout, stderr, status } = spawnSync('/usr/bin/python3', [APPRISE_REQUESTS], {
    input: JSON.stringify(ADDRESSES),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const made = madeSchema.parse(JSON.parse(stdout));
  return new Map(
    Object.entries(made).map(([address, requests]) => [
      address,
      requests.map(({ url, body, headers, auth }) => {
        const all = new Headers(headers);
        if (auth !== null) all.set('authorization', `Basic ${Buffer.from(auth.join(':')).toString('base64')}`);
        return reachOf(url, body, all, address);
      }),
    ]),
  );
}

async function reachByChatkeep(address: string): Promise<Reach[]> {
  const reached: Reach[] = [];
  const fetch: Fetch = async (url, { body, headers }) => {
    const content = headers['content-type'] === 'application/json' ? JSON.parse(body) : new URLSearchParams(body);
    const fields = bodySchema.parse(content instanceof URLSearchParams ? Object.fromEntries(content) : content);
    reached.push(reachOf(url, fields, new Headers(headers), address));
    return { status: 200, headers: new Headers(), body: new Blob(['{"ok":true,"status":1}']).stream() };
  };
  for (const service of parseAddress(new Secret(address))) {
    await service.send(MESSAGE, { signal: noAbort(), key: KEY, fetch });
  }
  return reached;
}

describe('an address of Apprise', () => {
  const byApprise = reachByApprise();
  for (const address of ADDRESSES) {
    it(`reaches the same place with the same credentials as with Apprise itself: ${address}`, async () => {
      const expected = byApprise.get(address) ?? [];
      assert(expected.length > 0, 'Apprise does not know the address');
      const urls = (reached: Reach[]) => reached.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
      assert.deepEqual(urls(await reachByChatkeep(address)), urls(expected));
    });
  }
});
