import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DownloadProgress } from '../../src/download/index.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { type FakeAnswer, FakeTransport } from '../support/fake-transport.ts';
import { openFilesBelow } from '../support/open-files.ts';
import type { Fault, PublishedExport } from '../support/openai/server.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { zipLike } from '../support/zip-like.ts';
import { openScene, type Scene } from './scene.ts';
import { BODY, DENIED, LEAST_PIECE_BYTES, login, scene, serve } from './virtual-scene.ts';

const TOO_MANY: FakeAnswer = { kind: 'answer', status: 429, headers: { 'retry-after': '60' }, text: '' };

/** The most requests whose bodies came at the same time, each lasting as long as its bytes take. */
function mostAtOnce(requests: readonly { readonly at: number; readonly bytes: number }[], bytesPerMs: number): number {
  const underWay = (moment: number) =>
    requests.filter(({ at, bytes }) => at <= moment && moment < at + bytes / bytesPerMs);
  return Math.max(...requests.map(({ at }) => underWay(at).length));
}

describe('an export that is fetched by several connections', () => {
  /** 1000 bytes in a second. */
  const STEADY = serve({ chunkBytes: 50, pauseMs: 50 });
  const steadily = Array.from({ length: 40 }, () => STEADY);

  it('is whole, and sooner so', () =>
    scene(
      steadily,
      async (stage) => {
        const from = stage.clock.now();
        await stage.assertWhole(await stage.download());
        const tookMs = stage.clock.now() - from;
        assert.ok(tookMs <= 5000 / 4 + 400, `${tookMs} ms`);
        assert.equal(mostAtOnce(stage.network.requests, 1), 4);
      },
      { connections: 4 },
    ));

  it('is asked for as a whole first, and then in parts of that very body', () =>
    scene(
      steadily,
      async (stage) => {
        await stage.download();
        const [first, ...others] = stage.network.requests;
        assert.equal(first?.headers.range, undefined);
        assert.ok(others.length > 3);
        for (const { headers } of others) {
          assert.match(headers.range ?? '', /^bytes=\d+-\d*$/);
          assert.equal(headers['if-range'], '"revision-1"');
        }
      },
      { connections: 4 },
    ));

  it('is asked for with few requests', () =>
    scene(
      steadily,
      async (stage) => {
        await stage.download();
        assert.ok(stage.ranges.length <= 14, stage.ranges.join());
      },
      { connections: 4 },
    ));

  it('is fetched by one where it is not worth more', () =>
    scene(
      [],
      async (stage) => {
        await stage.assertWhole(await stage.download());
        assert.deepEqual(stage.ranges, [undefined]);
      },
      { connections: 4, body: zipLike(2 * LEAST_PIECE_BYTES - 1) },
    ));

  for (const [what, answer] of Object.entries({
    'does not say that it gives out parts': serve({ ranges: false }),
    'shows no strong entity tag': serve({ etag: 'weak' }),
    'does not tell the length': serve({ framing: 'chunked' }),
  })) {
    it(`is fetched by one where the server ${what}`, () =>
      scene(
        [answer],
        async (stage) => {
          await stage.assertWhole(await stage.download());
          assert.deepEqual(stage.ranges, [undefined]);
        },
        { connections: 4 },
      ));
  }

  it('is fetched by fewer where the server refuses more', () =>
    scene(
      [STEADY, TOO_MANY, TOO_MANY, ...steadily],
      async (stage) => {
        await stage.assertWhole(await stage.download());
        assert.equal(mostAtOnce(stage.network.requests, 1), 2);
      },
      { connections: 4 },
    ));

  it('is fetched by one in the end where the server refuses all others, and no refused request is made again', () =>
    scene(
      [STEADY, TOO_MANY, TOO_MANY, TOO_MANY, ...steadily],
      async (stage) => {
        await stage.assertWhole(await stage.download());
        assert.equal(mostAtOnce(stage.network.requests, 1), 1);
        assert.ok(stage.ranges.length <= 6, stage.ranges.join());
      },
      { connections: 4 },
    ));

  for (const [what, answer] of Object.entries({
    'a page': { kind: 'answer', status: 200, headers: { 'content-type': 'text/html' }, text: '<html>' } as const,
    'no access': DENIED,
    'all of it': serve({ ranges: false }),
    'another part': serve({ rangeOff: 7 }),
    'no such part': { kind: 'answer', status: 416, headers: { 'content-range': 'bytes */5000' }, text: '' } as const,
    'nothing at all': { kind: 'fail', code: 'ECONNRESET' } as const,
  })) {
    it(`loses nothing where one of them is given ${what}`, () =>
      scene(
        [STEADY, answer, ...steadily],
        async (stage) => {
          await stage.assertWhole(await stage.download());
          assert.ok(stage.network.requests.reduce((sum, { bytes }) => sum + bytes, 0) <= BODY.length * 1.2);
        },
        { connections: 2 },
      ));
  }

  it('goes on where one of them is cut off', () =>
    scene(
      [STEADY, serve({ chunkBytes: 50, pauseMs: 50, cut: { afterBytes: 100, how: 'reset' } }), ...steadily],
      async (stage) => {
        await stage.assertWhole(await stage.download());
        const [, second] = stage.network.requests;
        const start = Number(/^bytes=(\d+)-/.exec(second?.headers.range ?? '')?.[1]);
        assert.ok(
          stage.ranges.some((range) => range?.startsWith(`bytes=${start + 100}-`)),
          stage.ranges.join(),
        );
      },
      { connections: 4 },
    ));

  it('is fetched to its end by the others where the first is cut off and refused', () =>
    scene(
      [serve({ chunkBytes: 50, pauseMs: 50, cut: { afterBytes: 100, how: 'reset' } }), STEADY, TOO_MANY, ...steadily],
      async (stage) => stage.assertWhole(await stage.download()),
      { connections: 2 },
    ));

  it('goes on by parts after a restart, and nothing is fetched twice', () =>
    scene(
      [
        ...Array.from({ length: 4 }, () => ({ ...STEADY, cut: { afterBytes: 200, how: 'reset' } as const })),
        ...steadily,
      ],
      async (stage) => {
        let isDown = false;
        stage.network.onRequest = (before) => {
          isDown ||= before === 4;
          if (isDown) throw Object.assign(new Error('no network'), { code: 'ENETUNREACH' });
        };
        const outcome = await stage.download();
        assert.ok(outcome.kind === 'interrupted' && outcome.progressed);
        stage.network.onRequest = () => {};
        await stage.assertWhole(await stage.download());
        assert.equal(
          stage.network.requests.reduce((sum, { bytes }) => sum + bytes, 0),
          BODY.length,
        );
        assert.ok(mostAtOnce(stage.network.requests.slice(4), 1) === 4);
      },
      { connections: 4 },
    ));

  it('begins anew, and by parts again, where it changes on the server', () =>
    scene(
      steadily,
      async (stage) => {
        stage.network.onRequest = (before) => {
          if (before === 6) stage.network.change(zipLike(4000, 1));
        };
        await stage.assertWhole(await stage.download());
        assert.ok(stage.network.requests.some(({ headers }) => headers['if-range'] === '"revision-2"'));
      },
      { connections: 4 },
    ));

  it('is fetched by one over the network of a login, which is for one', () =>
    scene(
      [],
      async (stage) => {
        const browser = new FakeTransport(stage.clock, BODY, []);
        stage.logins = [
          {
            ...login('browser'),
            async *waysIn() {
              yield { kind: 'headers', headers: {}, transport: browser };
            },
          },
        ];
        await stage.assertWhole(await stage.download());
        assert.equal(browser.requests.length, 1);
        assert.equal(stage.network.requests.length, 0);
      },
      { connections: 4 },
    ));
});

describe('a limit on what is taken of the line', () => {
  for (const connections of [1, 4]) {
    it(`holds for ${connections} together, and is not taken for a stall`, () =>
      scene(
        [],
        async (stage) => {
          const from = stage.clock.now();
          const outcome = await stage.download({ bytesPerSecond: 100, stallMs: SECOND_MS });
          await stage.assertWhole(outcome);
          const tookMs = stage.clock.now() - from;
          assert.ok(tookMs > 40 * SECOND_MS && tookMs < MINUTE_MS, `${tookMs} ms`);
          assert.equal(stage.network.requests.filter(({ bytes }) => bytes === 0).length, 0);
        },
        { connections },
      ));
  }
});

describe('several connections to a server', () => {
  const MB = 1_000_000;
  const archive = zipLike(12 * MB);
  const slow: Fault = { kind: 'slow', bytesPerSecond: 4 * MB };

  /** Plays with one export that each connection brings slowly, and that is fetched in parts of a megabyte and more. */
  async function play(work: (stage: Scene, published: PublishedExport) => Promise<void>): Promise<void> {
    await using stage = await openScene();
    const published = stage.server.publish({ form: 'estuary', body: { bytes: archive } });
    published.always = slow;
    await work(stage, published);
    assert.deepEqual(await openFilesBelow(stage.directory), []);
  }

  it('bring the export, each with the login', () =>
    play(async (stage, published) => {
      const outcome = await stage.download(published, stage.downloader({ leastPieceBytes: MB }));
      assert.equal(outcome.kind, 'whole');
      assert.ok((await readFile(stage.target)).equals(archive));
      assert.ok(published.requests.length > 4);
      assert.ok(published.requests.every(({ hasBearer }) => hasBearer));
      assert.deepEqual(
        published.requests.map(({ status }) => status),
        published.requests.map((_, index) => (index === 0 ? 200 : 206)),
      );
    }));

  it('end at once when the service is stopped, and what each has brought is kept', () =>
    play(async (stage, published) => {
      const stop = new AbortController();
      const reason = new Error('the service stops');
      const onProgress = ({ received }: DownloadProgress) => {
        if (received > 4 * MB) stop.abort(reason);
      };
      const downloader = stage.downloader({ leastPieceBytes: MB });
      await assert.rejects(stage.download({ ...published, signal: stop.signal, onProgress }, downloader), reason);
      const before = published.requests.length;
      const sent = published.requests.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
      published.always = undefined;
      const outcome = await stage.download(published, stage.downloader({ leastPieceBytes: MB }));
      assert.equal(outcome.kind, 'whole');
      assert.ok((await readFile(stage.target)).equals(archive));
      const sentLater = published.requests.slice(before).reduce((sum, { bytesSent }) => sum + bytesSent, 0);
      assert.ok(sent + sentLater < 1.5 * archive.length, `${sent} and ${sentLater} bytes`);
    }));

  it('end when one of them finds the disk full, and go on when there is room', () =>
    play(async (stage, published) => {
      await using _disk = await mountTmpfs(join(stage.directory, 'disk'), '24m');
      const directory = join(stage.directory, 'disk');
      const ballast = join(directory, 'ballast');
      const onProgress = () => {
        if (!existsSync(ballast)) writeFileSync(ballast, Buffer.alloc(18 * MB));
      };
      const downloader = stage.downloader({ leastPieceBytes: MB });
      await assert.rejects(stage.download({ ...published, directory, onProgress }, downloader), {
        class: 'storage',
        message: /disk is full/,
      });
      await rm(ballast);
      assert.equal((await stage.download({ ...published, directory }, downloader)).kind, 'whole');
      assert.ok((await readFile(join(directory, 'capture.zip'))).equals(archive));
    }));
});
