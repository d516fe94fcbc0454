import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DownloadOutcome, partPath } from '../../src/download/index.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { sizeOf } from '../../src/lib/files.ts';
import { type FakeAnswer, HONEST } from '../support/fake-transport.ts';
import { tempDir } from '../support/temp-dir.ts';
import { TEST_START_MS } from '../support/virtual-clock.ts';
import { zipLike } from '../support/zip-like.ts';
import { DENIED, login, scene, serve, TO_ITSELF, VirtualScene } from './virtual-scene.ts';

const CUT = { afterBytes: 2000, how: 'reset' } as const;

describe('the deadline of a link', () => {
  it('passes during a download: what is under way may end', () =>
    scene([serve({ pauseMs: SECOND_MS })], async (stage) => {
      await stage.assertWhole(await stage.download({ deadline: TEST_START_MS + SECOND_MS }));
    }));

  it('passes before the rest is asked for: no request is made', () =>
    scene([serve({ cut: CUT })], async (stage) => {
      const outcome = await stage.download({ deadline: TEST_START_MS + 100 });
      assert.deepEqual(outcome, { kind: 'expired', detail: 'The link has died.' });
      assert.deepEqual(stage.ranges, [undefined]);
    }));

  it('passes while a login is tried: the next is not', () =>
    scene(
      [DENIED, HONEST],
      async (stage) => {
        stage.network.latencyMs = MINUTE_MS;
        assert.equal((await stage.download({ deadline: TEST_START_MS + MINUTE_MS })).kind, 'expired');
        assert.equal(stage.network.requests.length, 1);
      },
      { logins: [login('one'), login('two')] },
    ));

  it('passes during a redirect: it is not followed', () =>
    scene([TO_ITSELF], async (stage) => {
      stage.network.latencyMs = MINUTE_MS;
      assert.equal((await stage.download({ deadline: TEST_START_MS + MINUTE_MS })).kind, 'expired');
      assert.equal(stage.network.requests.length, 1);
    }));

  it('tells an expired link from a missing login, which the server does not', () =>
    scene([DENIED, DENIED], async (stage) => {
      stage.network.latencyMs = MINUTE_MS;
      assert.equal((await stage.download({ deadline: TEST_START_MS + MINUTE_MS + 1 })).kind, 'needs-login');
      assert.equal((await stage.download({ deadline: TEST_START_MS + 2 * MINUTE_MS })).kind, 'expired');
    }));
});

describe('a body without a strong entity tag', () => {
  for (const etag of ['weak', 'none'] as const) {
    it(`(${etag}) is fetched anew after a cut, for nothing vouches for its bytes`, () =>
      scene([serve({ etag, cut: CUT }), serve({ etag })], async (stage) => {
        await stage.assertWhole(await stage.download());
        assert.deepEqual(stage.ranges, [undefined, undefined]);
      }));

    it(`(${etag}) is fetched anew after a restart`, () =>
      scene([serve({ etag, cut: CUT }), DENIED, serve({ etag })], async (stage) => {
        assert.equal((await stage.download()).kind, 'needs-login');
        await stage.assertWhole(await stage.download());
        assert.deepEqual(stage.ranges, [undefined, undefined, undefined]);
      }));
  }
});

describe('a body without a length', () => {
  it('is whole where the ZIP is', () =>
    scene([serve({ framing: 'chunked' })], async (stage) => stage.assertWhole(await stage.download())));

  it('that ends before the ZIP does is gone on with; what is learned on the way is kept', () =>
    scene(
      [
        serve({ framing: 'chunked', cut: { afterBytes: 2000, how: 'quietly' } }),
        serve({ cut: { afterBytes: 1000, how: 'quietly' } }),
        DENIED,
      ],
      async (stage) => {
        assert.equal((await stage.download()).kind, 'needs-login');
        assert.match(await readFile(`${stage.target}.part.json`, 'utf8'), /"total":5000/);
        await stage.assertWhole(await stage.download());
        assert.deepEqual(stage.ranges, [undefined, 'bytes=2000-', 'bytes=3000-', 'bytes=3000-']);
      },
    ));

  it('of which all has come, though the connection broke, is whole', () =>
    scene([serve({ framing: 'chunked', cut: { afterBytes: 5000, how: 'reset' } })], async (stage) => {
      await stage.assertWhole(await stage.download());
      assert.deepEqual(stage.ranges, [undefined, 'bytes=5000-']);
    }));
});

describe('a length that is wrong', () => {
  it('promises too much: the rest is asked for, and the server believed that there is none', () =>
    scene([serve({ lengthOff: 500 })], async (stage) => {
      await stage.assertWhole(await stage.download());
      assert.deepEqual(stage.ranges, [undefined, 'bytes=5000-']);
    }));

  it('promises too little: what comes is not trusted', () =>
    scene([serve({ lengthOff: -500 })], async (stage) => {
      assert.deepEqual(await stage.download(), {
        kind: 'interrupted',
        detail: 'chatgpt.com sent more than it had announced. The download begins anew.',
        progressed: false,
      });
      assert.equal(await sizeOf(partPath(stage.target)), 0);
      await stage.assertWhole(await stage.download());
    }));
});

describe('silence', () => {
  it('is cut after its limit, and no sooner', () =>
    scene([serve({ pauseMs: MINUTE_MS - 1, cut: { afterBytes: 3000, how: 'stall' } })], async (stage) => {
      await stage.assertWhole(await stage.download());
      assert.deepEqual(stage.ranges, [undefined, 'bytes=3000-']);
      const [first, second] = stage.network.requests;
      assert.equal((second?.at ?? 0) - (first?.at ?? 0), 3 * (MINUTE_MS - 1) + MINUTE_MS + 250);
    }));

  it('of the network before any answer is told', () =>
    scene([{ kind: 'fail', code: 'ECONNREFUSED' }], async (stage) => {
      assert.deepEqual(await stage.download(), {
        kind: 'interrupted',
        detail: 'chatgpt.com refuses connections.',
        progressed: false,
      });
    }));
});

describe('any network', () => {
  const cut = fc.record({
    afterBytes: fc.nat(6000),
    how: fc.constantFrom('quietly' as const, 'reset' as const, 'stall' as const),
  });
  const serving: fc.Arbitrary<FakeAnswer> = fc.record(
    {
      kind: fc.constant('serve' as const),
      chunkBytes: fc.integer({ min: 50, max: 5000 }),
      pauseMs: fc.constantFrom(1, 10 * SECOND_MS, MINUTE_MS - 1, MINUTE_MS + 1),
      framing: fc.constantFrom('length' as const, 'chunked' as const),
      etag: fc.constantFrom('strong' as const, 'strong' as const, 'weak' as const, 'none' as const),
      ranges: fc.boolean(),
      cut,
      lengthOff: fc.constantFrom(0, 0, 0, -7, 7),
      rangeOff: fc.constantFrom(0, 0, 0, -7, 7),
    },
    { requiredKeys: ['kind', 'chunkBytes', 'pauseMs', 'framing', 'etag', 'ranges'] },
  );
  const statuses = fc.record({
    kind: fc.constant('answer' as const),
    status: fc.constantFrom(200, 206, 304, 401, 403, 404, 412, 416, 429, 500, 503),
    headers: fc.constantFrom(
      {},
      { 'content-type': 'text/html' },
      { 'cf-mitigated': 'challenge' },
      { 'retry-after': '3600' },
      { 'content-range': 'bytes */5000' },
      { 'content-range': 'bytes 0-4999/5000', etag: '"revision-1"' },
    ),
    text: fc.constantFrom('', '<!doctype html>', '{"detail":"no"}'),
  });
  const failure = fc.record({ kind: fc.constant('fail' as const), code: fc.constantFrom('ECONNRESET', 'ENOTFOUND') });
  const answer = fc.oneof(
    { weight: 6, arbitrary: serving },
    { weight: 2, arbitrary: statuses },
    { weight: 1, arbitrary: failure },
    { weight: 1, arbitrary: fc.constant(TO_ITSELF) },
  );
  const schedule = fc.record({
    answers: fc.array(answer, { maxLength: 12 }),
    bytes: fc.integer({ min: 100, max: 5000 }),
    /** Before which requests the export changes on the server. */
    changes: fc.uniqueArray(fc.nat(15), { maxLength: 2 }),
    latencyMs: fc.constantFrom(0, SECOND_MS, 10 * MINUTE_MS),
    /** How long the link lives. */
    lifeMs: fc.constantFrom(SECOND_MS, 10 * MINUTE_MS, DAY_MS),
    connections: fc.constantFrom(1, 1, 2, 4, 8),
  });
  const MOST_CALLS = 40;
  const BETWEEN_CALLS_MS = MINUTE_MS;

  it('brings the very bytes of the export, or an honest word; never asks too late, nor in a hot loop', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async ({ answers, bytes, changes, latencyMs, lifeMs, connections }) => {
        await using directory = await tempDir();
        const stage = new VirtualScene(directory.path, answers, { body: zipLike(bytes), connections });
        const { clock, network } = stage;
        const bodies = [network.body];
        network.latencyMs = latencyMs;
        network.onRequest = (before) => {
          if (!changes.includes(before)) return;
          network.change(zipLike(bytes + before, before + 1));
          bodies.push(network.body);
        };
        const deadline = clock.now() + lifeMs;
        let outcome: DownloadOutcome | undefined;
        for (let call = 0; call < MOST_CALLS && outcome?.kind !== 'whole' && outcome?.kind !== 'expired'; call += 1) {
          outcome = await stage.download({ deadline });
          assert.equal(clock.sleeping, 0, 'nothing goes on behind the back of the caller');
          if (outcome.kind === 'expired') assert.ok(clock.now() >= deadline);
          if (outcome.kind === 'needs-login') assert.ok(clock.now() < deadline);
          if (outcome.kind !== 'whole') assert.ok((await sizeOf(partPath(stage.target))) !== undefined);
          await clock.advance(BETWEEN_CALLS_MS);
        }
        assert.ok(network.requests.every(({ at }) => at < deadline));
        assertNoHotLoop(network.requests, connections);
        assert.ok(outcome?.kind === 'whole' || outcome?.kind === 'expired', outcome?.kind);
        if (outcome.kind === 'whole') {
          const file = await readFile(stage.target);
          assert.ok(
            bodies.some((body) => file.equals(body)),
            'the bytes are those of an export that there was',
          );
        }
        if (lifeMs === DAY_MS && latencyMs === 0) assert.equal(outcome.kind, 'whole');
      }),
      { numRuns: 1000 },
    );
  });

  /** What one connection asks for within a minute, at the very most: the pieces of a body, redirects, and some retries. */
  const MOST_REQUESTS_A_MINUTE = 60;

  function assertNoHotLoop(requests: readonly { readonly at: number }[], connections: number): void {
    const most = MOST_REQUESTS_A_MINUTE * connections;
    for (const [index, { at }] of requests.entries()) {
      const later = requests[index + most]?.at ?? Number.POSITIVE_INFINITY;
      assert.ok(later - at >= MINUTE_MS, `more than ${most} requests in a minute`);
    }
  }
});
