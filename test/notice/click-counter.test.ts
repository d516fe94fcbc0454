import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createTransport, redirectOf, type Transport } from '../../src/download/index.ts';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { downloadPlaces, type Notice } from '../../src/notice/index.ts';
import { type BorrowedAddress, borrowPrivateAddress, borrowPublicAddress } from '../support/network.ts';
import {
  CLICK_COUNTER_HOST,
  type Click,
  type ClickCounter,
  startClickCounter,
} from '../support/openai/click-counter.ts';
import { tempDir } from '../support/temp-dir.ts';
import { ESTUARY_LINK, ESTUARY_QUERY, email, outcome, RECEIVED, read } from './messages.ts';

/** The network as the service has it, but that every name resolves to these addresses. */
async function network(counter: ClickCounter, ...addresses: string[]) {
  await using directory = await tempDir();
  const caFile = join(directory.path, 'ca.pem');
  await writeFile(caFile, counter.authority.certPem);
  const resolved = addresses.map((address) => ({ address, family: 6 }));
  const transport = await createTransport({
    places: downloadPlaces([]),
    caFile,
    resolveName: (_name, _options, callback) => callback(null, resolved),
  });
  return { transport, [Symbol.asyncDispose]: () => transport.close() };
}

/** What a proved email is whose button leads to `link`. */
async function readWith(transport: Transport, link: string, now = RECEIVED): Promise<Notice> {
  const followRedirect = (address: URL, signal: AbortSignal) => redirectOf(transport, address, signal);
  return read(await email({ link }), { followRedirect, now });
}

describe('A ready notice whose link only a click counter knows', () => {
  let place: BorrowedAddress;
  let counter: ClickCounter;
  let open: Awaited<ReturnType<typeof network>>;
  before(async () => {
    place = await borrowPublicAddress();
    counter = await startClickCounter(place);
    open = await network(counter, place.address);
  });
  after(async () => {
    await open[Symbol.asyncDispose]();
    await counter[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  /** What the notice is when its link is answered in this way, and the requests that this took. */
  async function noticeOf(click: Click) {
    const earlier = counter.requests.length;
    const notice = await readWith(open.transport, counter.link(click));
    assert.doesNotMatch(JSON.stringify(notice), /upn|sig=/);
    return { notice, outcome: outcome(notice), requests: counter.requests.slice(earlier) };
  }

  it('is as good as any once the counter has told where it leads', async () => {
    const { notice } = await noticeOf({ kind: 'redirect', to: ESTUARY_LINK });
    assert.equal(notice.kind === 'ready' && notice.link.reveal(), ESTUARY_LINK);
  });

  it('is asked for with one plain request, which tells nothing of the user', async () => {
    const { requests } = await noticeOf({ kind: 'redirect', to: ESTUARY_LINK });
    assert.deepEqual(
      requests.map(({ method, headers }) => ({ method, ...headers })),
      [{ method: 'GET', host: CLICK_COUNTER_HOST, connection: 'keep-alive' }],
    );
  });

  for (const [what, to, expected] of [
    ['a look-alike', `https://chatgpt.com.evil.test/backend-api/estuary/content?${ESTUARY_QUERY}`, 'link-not-trusted'],
    ['an unencrypted place', ESTUARY_LINK.replace('https', 'http'), 'link-not-trusted'],
    ['a private address', `https://127.0.0.1/backend-api/estuary/content?${ESTUARY_QUERY}`, 'link-not-trusted'],
    ['this very machine', 'https://localhost/', 'no-link'],
    ['a stranger', 'https://evil.test/', 'no-link'],
    ['a program', 'javascript:alert(1)', 'no-link'],
    ['what is no address', 'https://[', 'no-link'],
  ] as const) {
    it(`is refused when it leads to ${what}, and nobody goes there`, async () => {
      const { outcome: judged, requests } = await noticeOf({ kind: 'redirect', to });
      assert.equal(judged, `refused: ${expected}`);
      assert.equal(requests.length, 1);
    });
  }

  it('is refused when it leads in a circle, after one round', async () => {
    const { outcome: judged, requests } = await noticeOf({ kind: 'circle' });
    assert.deepEqual([judged, requests.length], ['refused: no-link', 1]);
  });

  it('is refused when the counter knows no target, or names one without redirecting', async () => {
    for (const status of [200, 302, 404, 410]) {
      assert.equal((await noticeOf({ kind: 'answer', status })).outcome, 'refused: no-link', `${status}`);
    }
    const named = await noticeOf({ kind: 'answer', status: 200, location: ESTUARY_LINK });
    assert.equal(named.outcome, 'refused: no-link');
  });

  it('is taken or refused by the head of an answer whose body never ends, and the connection is closed', async () => {
    for (const [click, expected] of [
      [{ kind: 'flood', to: ESTUARY_LINK }, 'ready'],
      [{ kind: 'flood' }, 'refused: no-link'],
    ] as const) {
      const { outcome: judged, requests } = await noticeOf(click);
      assert.equal(judged, expected);
      await Promise.all(requests.map(({ ended }) => ended));
    }
  });

  it('is read again later when the counter is overburdened, silent, or answers out of all measure', async () => {
    for (const click of [
      { kind: 'answer', status: 503 },
      { kind: 'answer', status: 429 },
      { kind: 'silence' },
      { kind: 'long-header' },
    ] as const) {
      const { notice, requests } = await noticeOf(click);
      assert.equal(notice.kind === 'undecided' && notice.until, RECEIVED + 24 * HOUR_MS, JSON.stringify(click));
      assert.equal(requests.length, 1);
    }
  });

  it('is not asked for at a server that cannot show the certificate of the counter', async () => {
    await using elsewhere = await borrowPublicAddress();
    await using impostor = await startClickCounter({ address: elsewhere.address, certifiedAs: 'evil.test' });
    await using path = await network(impostor, elsewhere.address);
    const notice = await readWith(path.transport, impostor.link({ kind: 'redirect', to: ESTUARY_LINK }));
    assert.equal(notice.kind, 'undecided');
    assert.deepEqual(impostor.requests, []);
  });

  it('is not asked for where the counter’s name resolves to a private address, and refused in the end', async () => {
    await using home = await borrowPrivateAddress();
    await using inside = await startClickCounter(home);
    const link = inside.link({ kind: 'redirect', to: ESTUARY_LINK });
    for (const address of [home.address, '::1', '::ffff:127.0.0.1', '::ffff:169.254.169.254']) {
      await using path = await network(inside, address);
      assert.equal((await readWith(path.transport, link)).kind, 'undecided', address);
      const over = await readWith(path.transport, link, RECEIVED + 24 * HOUR_MS);
      assert.match(over.kind === 'refused' ? over.detail : '', /sendgrid\.net resolves to no public address/);
    }
    assert.deepEqual(inside.requests, []);
  });

  it('is asked for at the public one where the name resolves to a private address as well', async () => {
    await using home = await borrowPrivateAddress();
    await using inside = await startClickCounter(home);
    await using path = await network(counter, home.address, place.address);
    const notice = await readWith(path.transport, counter.link({ kind: 'redirect', to: ESTUARY_LINK }));
    assert.deepEqual([notice.kind, inside.requests.length], ['ready', 0]);
  });
});
