import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLogins, type DownloadOutcome, type DownloadProgress, type Login } from '../../src/download/index.ts';
import { partPath, progressPath, recordPath } from '../../src/download/part/part-file.ts';
import { DAY_MS, HOUR_MS, systemClock } from '../../src/lib/clock.ts';
import { sizeOf } from '../../src/lib/files.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { type Fault, type LinkForm, type PublishedExport, startOpenAiServer } from '../support/openai/server.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { TEST_START_MS } from '../support/virtual-clock.ts';
import { zipLike } from '../support/zip-like.ts';
import { openScene, placesOf, type Scene, SESSION, TOKEN } from './scene.ts';

const BYTES = 200_000;
const ARCHIVE = zipLike(BYTES);
const CUT = 60_000;
const SESSION_COOKIE = '__Secure-next-auth.session-token';

/** Plays with one export of the estuary form, or of the form given, under the faults given. */
async function scene(
  faults: readonly Fault[],
  play: (scene: Scene, published: PublishedExport) => Promise<void>,
  form: LinkForm = 'estuary',
): Promise<void> {
  await using stage = await openScene();
  const published = stage.server.publish({ form, body: { bytes: ARCHIVE } });
  published.faults.push(...faults);
  await play(stage, published);
  assert.deepEqual(await openFilesBelow(stage.directory), []);
}

async function assertWhole(outcome: DownloadOutcome, { target, directory }: Scene, bytes = ARCHIVE): Promise<void> {
  assert.deepEqual(outcome, { kind: 'whole', path: target, bytes: bytes.length });
  assert.ok((await readFile(target)).equals(bytes), 'the bytes are those of the export');
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.includes('.part')),
    [],
  );
}

/** The ranges that were asked for, in order. */
function ranges({ requests }: PublishedExport): (string | undefined)[] {
  return requests.map(({ range }) => range);
}

/** Asserts that each request but the first has asked for what was missing, and the last has brought it. */
function assertResumed({ requests, etag }: PublishedExport, afterBytes = CUT): void {
  const [first, ...resumed] = requests;
  assert.deepEqual([first?.range, first?.ifRange, first?.status], [undefined, undefined, 200]);
  assert.equal(resumed[0]?.range, `bytes=${afterBytes}-`);
  let before = 0;
  for (const { range, ifRange } of resumed) {
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
    assert.ok(start === before || start === before + afterBytes, `${range} after ${before}`);
    assert.equal(ifRange, etag);
    before = start;
  }
  assert.deepEqual([resumed.at(-1)?.status, resumed.at(-1)?.bytesSent], [206, BYTES - before]);
}

describe('a download', () => {
  for (const form of ['estuary', 'azure'] as const) {
    it(`brings an export of the ${form} form to disk`, () =>
      scene(
        [],
        async (stage, published) => {
          await assertWhole(await stage.download(published), stage);
          assert.deepEqual(
            published.requests.map(({ method, range, status }) => ({ method, range, status })),
            [{ method: 'GET', range: undefined, status: 200 }],
          );
        },
        form,
      ));
  }

  it('tells its progress, of nothing at first', () =>
    scene([], async (stage, published) => {
      const told: DownloadProgress[] = [];
      await stage.download({ ...published, onProgress: (progress) => told.push(progress) });
      assert.deepEqual(told.at(-1), { received: BYTES, total: BYTES });
      assert.deepEqual(told[0], { received: 0, total: BYTES });
      assert.ok(told.every(({ received }, index) => received > (told[index - 1]?.received ?? -1)));
    }));

  it('that is on disk already needs no request', () =>
    scene([], async (stage, published) => {
      await stage.download(published);
      await assertWhole(await stage.download({ ...published, deadline: 0 }), stage);
      assert.equal(published.requests.length, 1);
    }));

  it('does not mind a slow line', () =>
    scene([{ kind: 'slow', bytesPerSecond: 1_000_000 }], async (stage, published) => {
      await assertWhole(await stage.download(published), stage);
      assert.equal(published.requests.length, 1);
    }));

  it('of a link that leads elsewhere is not begun', () =>
    scene([], async (stage, published) => {
      const link = published.link.replace('/content?', '/other?');
      const { origin, host } = new URL(published.link);
      for (const strange of [link, origin, 'https://chatgpt.com.evil.test/backend-api/estuary/content?id=1']) {
        assert.deepEqual(await stage.download({ link: strange }), {
          kind: 'interrupted',
          detail: `The link leads to ${strange.includes('evil') ? 'chatgpt.com.evil.test' : host}, which is not a place that exports come from.`,
          progressed: false,
        });
      }
      assert.deepEqual(await stage.download({ link: 'no address' }), {
        kind: 'interrupted',
        detail: 'The link is not an address.',
        progressed: false,
      });
      assert.equal(stage.server.requests.length, 0);
    }));
});

describe('a login', () => {
  it('that is not configured is asked for', () =>
    scene([], async (stage, published) => {
      const outcome = await stage.download(published, stage.downloader({ logins: [] }));
      assert.deepEqual(outcome, {
        kind: 'needs-login',
        detail: 'The server answered 403: access was denied. No login is configured.',
      });
      assert.equal(await stage.partBytes(), 0);
    }));

  it('goes along as a bearer token', () =>
    scene([], async (stage, published) => {
      await stage.download(published);
      assert.deepEqual(
        published.requests.map(({ hasBearer, hasCookie }) => ({ hasBearer, hasCookie })),
        [{ hasBearer: true, hasCookie: false }],
      );
    }));

  const cookies = {
    whole: [`${SESSION_COOKIE}\t${SESSION}`],
    split: [`${SESSION_COOKIE}.0\t${SESSION.slice(0, 5)}`, `${SESSION_COOKIE}.1\t${SESSION.slice(5)}`],
  };
  for (const [how, pairs] of Object.entries(cookies)) {
    it(`goes along as the browser's session cookie, ${how}`, () =>
      scene([], async (stage, published) => {
        const file = join(stage.directory, 'cookies.txt');
        await writeFile(file, pairs.map((pair) => `#HttpOnly_localhost\tFALSE\t/\tTRUE\t0\t${pair}\n`).join(''));
        const logins = createLogins([{ type: 'cookies', file }], stage);
        await assertWhole(await stage.download(published, stage.downloader({ logins })), stage);
        assert.deepEqual(
          published.requests.map(({ hasBearer, hasCookie }) => ({ hasBearer, hasCookie })),
          [{ hasBearer: false, hasCookie: true }],
        );
      }));
  }

  it('does not go to a place that needs none', () =>
    scene(
      [],
      async (stage, published) => {
        await stage.download(published);
        assert.equal(published.requests[0]?.hasBearer, false);
      },
      'azure',
    ));

  it('that fails is followed by the next', () =>
    scene([], async (stage, published) => {
      const staleToken = join(stage.directory, 'stale');
      await writeFile(staleToken, 'stale-token');
      const logins = createLogins(
        [
          { type: 'cookies', file: join(stage.directory, 'missing') },
          { type: 'bearer', tokenFile: staleToken },
          { type: 'bearer', tokenFile: stage.tokenFile },
        ],
        stage,
      );
      await assertWhole(await stage.download(published, stage.downloader({ logins })), stage);
      assert.deepEqual(
        published.requests.map(({ status }) => status),
        [403, 200],
      );
    }));

  it('is asked for when all have failed, with a word on each and none of their secrets', () =>
    scene([], async (stage, published) => {
      stage.server.bearerTokens.clear();
      const missing = join(stage.directory, 'missing');
      const logins = createLogins(
        [
          { type: 'cookies', file: missing },
          { type: 'bearer', tokenFile: stage.tokenFile },
        ],
        stage,
      );
      const outcome = await stage.download(published, stage.downloader({ logins }));
      assert.deepEqual(outcome, {
        kind: 'needs-login',
        detail: `The file ${missing} does not exist. With the token in ${stage.tokenFile}: The server answered 403: access was denied.`,
      });
      assert.ok(!JSON.stringify(outcome).includes(TOKEN));
    }));

  it('is not asked for while the network keeps one from being tried', () =>
    scene([], async (stage, published) => {
      stage.server.bearerTokens.clear();
      const undecided: Login = {
        label: 'the cookies',
        howToRenew: '',
        async *waysIn() {
          yield { kind: 'undecided', detail: 'No access token could be had: chatgpt.com does not answer.' };
        },
        check: () => Promise.reject(new Error('not asked')),
        fingerprint: async () => '',
      };
      const logins = [undecided, ...createLogins([{ type: 'bearer', tokenFile: stage.tokenFile }], stage)];
      const outcome = await stage.download(published, stage.downloader({ logins }));
      assert.ok(outcome.kind === 'interrupted', outcome.kind);
      assert.match(outcome.detail, /^No access token could be had: chatgpt\.com does not answer\. With the token in /);
    }));

  it('that is renewed counts at once', () =>
    scene([], async (stage, published) => {
      const downloader = stage.downloader();
      await writeFile(stage.tokenFile, 'stale-token');
      const before = await downloader.loginsFingerprint();
      assert.equal((await stage.download(published, downloader)).kind, 'needs-login');
      await writeFile(stage.tokenFile, TOKEN);
      assert.notEqual(await downloader.loginsFingerprint(), before);
      await assertWhole(await stage.download(published, downloader), stage);
    }));

  it('that ends in the middle is asked for; what has arrived is kept', () =>
    scene([{ kind: 'stop', afterBytes: CUT, framing: 'content-length' }], async (stage, published) => {
      const onProgress = () => stage.server.bearerTokens.clear();
      assert.equal((await stage.download({ ...published, onProgress })).kind, 'needs-login');
      stage.server.bearerTokens.add(TOKEN);
      await assertWhole(await stage.download(published), stage);
      assert.deepEqual(
        published.requests.map(({ status }) => status),
        [200, 403, 206],
      );
      assertResumed(published);
    }));
});

describe('a page in the place of the export', () => {
  const pages: Record<string, Fault> = {
    'the login page with status 200': { kind: 'login-page' },
    'a challenge with status 403': { kind: 'challenge', status: 403 },
    'a challenge with status 503': { kind: 'challenge', status: 503 },
  };
  for (const [page, fault] of Object.entries(pages)) {
    it(`is seen through: ${page}`, () =>
      scene([fault], async (stage, published) => {
        assert.equal((await stage.download(published)).kind, 'needs-login');
        assert.equal(await stage.partBytes(), 0);
        await assertWhole(await stage.download(published), stage);
      }));

    it(`costs nothing of what has arrived: ${page}`, () =>
      scene([{ kind: 'stop', afterBytes: CUT, framing: 'content-length' }, fault], async (stage, published) => {
        assert.equal((await stage.download(published)).kind, 'needs-login');
        await assertWhole(await stage.download(published), stage);
        assertResumed(published);
      }));
  }

  it('is seen through by its first bytes where the type lies', async () => {
    await using stage = await openScene();
    for (const [text, kind] of [
      ['\uFEFF <!DOCTYPE html><title>Log in', 'needs-login'],
      ['<html>', 'needs-login'],
      ['{"detail":"not today"}', 'interrupted'],
      ['', 'interrupted'],
    ]) {
      const published = stage.server.publish({ form: 'estuary', body: { bytes: Buffer.from(text ?? '') } });
      assert.equal((await stage.download(published)).kind, kind, text);
      assert.equal(await stage.partBytes(), 0);
    }
  });
});

describe('a download that breaks off', () => {
  const cuts: Record<string, Fault> = {
    'in silence': { kind: 'stop', afterBytes: CUT, framing: 'content-length' },
    'in silence, with no length promised': { kind: 'stop', afterBytes: CUT, framing: 'chunked' },
    'by a reset': { kind: 'reset', afterBytes: CUT },
  };
  for (const [how, fault] of Object.entries(cuts)) {
    for (const form of ['estuary', 'azure'] as const) {
      it(`goes on from there, ${how} (${form})`, () =>
        scene(
          [fault],
          async (stage, published) => {
            await assertWhole(await stage.download(published), stage);
            assert.equal(published.requests.length, 2);
            assertResumed(published);
          },
          form,
        ));
    }
  }

  it('goes on after each of many cuts', () =>
    scene(
      Array.from({ length: 4 }, () => ({ kind: 'stop', afterBytes: 45_000, framing: 'content-length' })),
      async (stage, published) => {
        await assertWhole(await stage.download(published), stage);
        assert.equal(published.requests.length, 5);
        assertResumed(published, 45_000);
      },
    ));

  it('in a stall is cut by the watchdog and goes on', () =>
    scene([{ kind: 'stall', afterBytes: CUT }], async (stage, published) => {
      await assertWhole(await stage.download(published, stage.downloader({ stallMs: 300 })), stage);
      assert.deepEqual(ranges(published), [undefined, `bytes=${CUT}-`]);
    }));

  it('before its first byte is told, and left to the next call', () =>
    scene(
      [
        { kind: 'stop', afterBytes: 0, framing: 'content-length' },
        { kind: 'stop', afterBytes: 0, framing: 'chunked' },
        { kind: 'stall', afterBytes: 0 },
      ],
      async (stage, published) => {
        const { host } = new URL(published.link);
        const details = [];
        for (let call = 0; call < 3; call += 1) {
          const outcome = await stage.download(published, stage.downloader({ stallMs: 300 }));
          assert.ok(outcome.kind === 'interrupted' && !outcome.progressed);
          details.push(outcome.detail);
        }
        assert.deepEqual(details, [
          `${host} closed the connection early.`,
          `${host} sent an empty answer.`,
          `${host} sent nothing for 0.3 s.`,
        ]);
        await assertWhole(await stage.download(published), stage);
      },
    ));

  it('goes on after a restart', () =>
    scene(
      [
        { kind: 'stop', afterBytes: CUT, framing: 'content-length' },
        { kind: 'status', status: 503 },
      ],
      async (stage, published) => {
        const outcome = await stage.download(published);
        assert.ok(outcome.kind === 'interrupted' && outcome.progressed);
        await assertWhole(await stage.download(published), stage);
        assertResumed(published);
      },
    ));

  it('when the service is stopped keeps what has arrived, and ends at once', () =>
    scene([{ kind: 'stall', afterBytes: CUT }], async (stage, published) => {
      const stop = new AbortController();
      const reason = new Error('the service stops');
      const onProgress = ({ received }: DownloadProgress) => {
        if (received === CUT) stop.abort(reason);
      };
      const downloader = stage.downloader({ stallMs: HOUR_MS });
      await assert.rejects(stage.download({ ...published, signal: stop.signal, onProgress }, downloader), reason);
      assert.equal(await stage.partBytes(), CUT);
      await assertWhole(await stage.download(published), stage);
      assert.deepEqual(ranges(published), [undefined, `bytes=${CUT}-`]);
    }));

  it('is not begun when the service has been stopped', () =>
    scene([], async (stage, published) => {
      const reason = new Error('the service stops');
      await assert.rejects(stage.download({ ...published, signal: AbortSignal.abort(reason) }), reason);
      assert.equal(published.requests.length, 0);
    }));

  it('after its last byte needs no request, nor a link that is still alive', () =>
    scene([], async (stage, published) => {
      await writeFile(partPath(stage.target), ARCHIVE);
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
      const record = { exportId: published.exportId, etag: '"a"', total: BYTES, md5: null, synced: [] };
      await writeFile(recordPath(stage.target), JSON.stringify(record));
      await writeFile(progressPath(stage.target), JSON.stringify({ boot, written: [[0, BYTES]] }));
      await assertWhole(await stage.download({ ...published, deadline: 0 }), stage);
      assert.equal(published.requests.length, 0);
    }));

  it('is not mixed up with another export', () =>
    scene(
      [
        { kind: 'stop', afterBytes: CUT, framing: 'content-length' },
        { kind: 'status', status: 503 },
      ],
      async (stage, published) => {
        await stage.download(published);
        const other = stage.server.publish({ form: 'estuary', body: { bytes: zipLike(BYTES, 1) } });
        await assertWhole(await stage.download(other), stage, zipLike(BYTES, 1));
        assert.deepEqual(ranges(other), [undefined]);
      },
    ));
});

describe('a server that asks for patience', () => {
  const clock = { ...systemClock, now: () => TEST_START_MS };
  const request = { deadline: TEST_START_MS + DAY_MS };

  it('is left alone for as long as it asks', () =>
    scene(
      [
        { kind: 'status', status: 429, retryAfter: 120 },
        { kind: 'status', status: 503, retryAfter: new Date(TEST_START_MS + HOUR_MS) },
        { kind: 'status', status: 503 },
      ],
      async (stage, published) => {
        const downloader = stage.downloader({ clock });
        const busy = 'The server answered 503 (it is not available at present).';
        const outcomes: DownloadOutcome[] = [];
        for (let call = 0; call < 3; call += 1) {
          outcomes.push(await stage.download({ ...published, ...request }, downloader));
        }
        assert.deepEqual(outcomes, [
          {
            kind: 'interrupted',
            detail: 'The server answered 429 (too many requests).',
            progressed: false,
            retryAfterMs: 120_000,
          },
          { kind: 'interrupted', detail: busy, progressed: false, retryAfterMs: HOUR_MS },
          { kind: 'interrupted', detail: busy, progressed: false },
        ]);
        assert.equal(published.requests.length, 3);
      },
    ));
});

describe('a redirect', () => {
  it('to a place of exports is followed, with the login', () =>
    scene([], async (stage, published) => {
      const { pathname, search } = new URL(published.link);
      published.faults.push(
        { kind: 'redirect', status: 302, location: published.link },
        { kind: 'redirect', status: 307, location: `${pathname}${search}` },
      );
      await assertWhole(await stage.download(published), stage);
      assert.deepEqual(
        published.requests.map(({ hasBearer }) => hasBearer),
        [true, true, true],
      );
    }));

  it('to another place of exports is followed, without the login', async () => {
    await using stage = await openScene();
    await using other = await startOpenAiServer({ authority: stage.authority });
    const elsewhere = other.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    const published = stage.server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    published.faults.push({ kind: 'redirect', status: 302, location: elsewhere.link });
    const places = [...placesOf(stage.server), ...placesOf(other)];
    const transport = await stage.networkTo(placesOf(other));
    await assertWhole(await stage.download(published, stage.downloader({ places, transport })), stage);
    assert.deepEqual(
      elsewhere.requests.map(({ hasBearer, hasCookie }) => ({ hasBearer, hasCookie })),
      [{ hasBearer: false, hasCookie: false }],
    );
  });

  it('to any other host is not followed', async () => {
    await using stage = await openScene();
    await using canary = await startOpenAiServer({ authority: stage.authority });
    const published = stage.server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    const bait = canary.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    for (const location of [
      bait.link,
      canary.origin,
      `//localhost:${canary.port}/x`,
      'http://169.254.169.254/latest',
    ]) {
      published.faults.push({ kind: 'redirect', status: 302, location });
      assert.deepEqual(await stage.download(published), {
        kind: 'interrupted',
        detail: `The server redirects to ${new URL(location, 'https://a').host}, which is not a place that exports come from; it was not followed.`,
        progressed: false,
      });
    }
    assert.deepEqual(canary.requests, []);
    assert.equal(published.requests.length, 4);
  });

  it('to a sign-in page means that a login is needed', () =>
    scene([], async (stage, published) => {
      const { host } = new URL(published.link);
      const signIn = {
        '/auth/login?next=%2F': host,
        'https://auth.openai.com/authorize?client_id=1': 'auth.openai.com',
        'https://chatgpt.com/auth/login': 'chatgpt.com',
      };
      for (const [location, to] of Object.entries(signIn)) {
        published.faults.push({ kind: 'redirect', status: 302, location });
        assert.deepEqual(await stage.download(published), {
          kind: 'needs-login',
          detail: `With the token in ${stage.tokenFile}: The server sent us to a sign-in page (${to}).`,
        });
      }
      assert.equal(stage.server.requests.length, 3);
    }));

  it('to nowhere is told', () =>
    scene([{ kind: 'redirect', status: 302, location: 'https://' }], async (stage, published) => {
      const { host } = new URL(published.link);
      assert.deepEqual(await stage.download(published), {
        kind: 'interrupted',
        detail: `${host} redirects to nowhere.`,
        progressed: false,
      });
    }));

  it('in a circle is given up', () =>
    scene([], async (stage, published) => {
      published.always = { kind: 'redirect', status: 302, location: published.link };
      assert.deepEqual(await stage.download(published), {
        kind: 'interrupted',
        detail: `${new URL(published.link).host} redirects in a circle.`,
        progressed: false,
      });
      assert.equal(published.requests.length, 6);
    }));
});

describe('a server that is not to be trusted', () => {
  const stop: Fault = { kind: 'stop', afterBytes: CUT, framing: 'content-length' };
  const other = zipLike(BYTES + 5000, 1);

  it('changes the export in the middle: the new one comes, whole', () =>
    scene([stop, { kind: 'changed', body: { bytes: other } }], async (stage, published) => {
      const { etag } = published;
      await assertWhole(await stage.download(published), stage, other);
      assert.deepEqual(
        published.requests.map(({ ifRange, status }) => ({ ifRange, status })),
        [
          { ifRange: undefined, status: 200 },
          { ifRange: etag, status: 200 },
        ],
      );
    }));

  it('goes on with another export in the middle: nothing of it is taken', () =>
    scene([stop], async (stage, published) => {
      const { etag } = published;
      const ofTheSameLength = zipLike(BYTES, 1);
      const onProgress = () => {
        if (published.etag === etag) published.change({ bytes: ofTheSameLength });
      };
      published.faults.push({ kind: 'ignores-if-range' });
      const outcome = await stage.download({ ...published, onProgress });
      assert.ok(outcome.kind === 'interrupted' && !outcome.progressed);
      await assertWhole(await stage.download(published), stage, ofTheSameLength);
    }));

  it('lies about which part it sends: nothing of it is taken', () =>
    scene([stop, { kind: 'wrong-content-range', shiftBytes: 7 }], async (stage, published) => {
      assert.deepEqual(await stage.download(published), {
        kind: 'interrupted',
        detail: 'The server sent another part than the one that was asked for. The download begins anew.',
        progressed: false,
      });
      await assertWhole(await stage.download(published), stage);
      assert.deepEqual(
        published.requests.map(({ range, status }) => [range !== undefined, status]),
        [
          [false, 200],
          [true, 206],
          [false, 200],
        ],
      );
    }));

  it('sends the whole where the rest was asked for: it is taken as such', () =>
    scene([stop, { kind: 'ignores-range' }], async (stage, published) => {
      await assertWhole(await stage.download(published), stage);
      assert.deepEqual(
        published.requests.map(({ status }) => status),
        [200, 200],
      );
    }));

  it('sends bytes that do not fit its checksum: they are fetched anew', () =>
    scene(
      [{ kind: 'corrupt', atByte: 100_000 }],
      async (stage, published) => {
        assert.deepEqual(await stage.download(published), {
          kind: 'interrupted',
          detail: 'What arrived does not fit its checksum (Content-MD5). The download begins anew.',
          progressed: false,
        });
        assert.equal(await stage.partBytes(), 0);
        await assertWhole(await stage.download(published), stage);
      },
      'azure',
    ));

  it('sends a checksum that fits nothing: the bytes are not believed', () =>
    scene(
      [{ kind: 'wrong-content-md5' }],
      async (stage, published) => {
        assert.equal((await stage.download(published)).kind, 'interrupted');
        await assertWhole(await stage.download(published), stage);
      },
      'azure',
    ));

  it('shows a certificate of nobody: no request is made', async () => {
    await using stage = await openScene();
    await using stranger = await startOpenAiServer({ bearerTokens: [TOKEN] });
    const published = stranger.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    const places = placesOf(stranger);
    const transport = await stage.networkTo(places);
    const outcome = await stage.download(published, stage.downloader({ places, transport }));
    assert.ok(outcome.kind === 'interrupted');
    assert.match(
      outcome.detail,
      /^(The certificate of localhost:\d+ cannot be trusted|localhost:\d+ shows a certificate)/,
    );
    assert.deepEqual(stranger.requests, []);
  });
});

describe('a link', () => {
  for (const form of ['estuary', 'azure'] as const) {
    it(`that has died is not followed any more (${form})`, () =>
      scene(
        [],
        async (stage, published) => {
          const outcome = await stage.download({ ...published, deadline: Date.now() });
          assert.deepEqual(outcome, { kind: 'expired', detail: 'The link has died.' });
          assert.equal(published.requests.length, 0);
        },
        form,
      ));
  }

  it('that the server takes for dead before its time needs a login, or is tried again', async () => {
    let now = Date.now();
    await using stage = await openScene({ now: () => now });
    const estuary = stage.server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    const azure = stage.server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    now += DAY_MS;
    assert.deepEqual(await stage.download(estuary), {
      kind: 'needs-login',
      detail: `With the token in ${stage.tokenFile}: The server answered 403: access was denied.`,
    });
    assert.deepEqual(await stage.download(azure), {
      kind: 'interrupted',
      detail: 'The server answered 403: access was denied.',
      progressed: false,
    });
  });

  it('that dies while the answer is under way has expired', async () => {
    let now = Date.now();
    const deadline = now + DAY_MS;
    await using stage = await openScene({ now: () => now });
    const published = stage.server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    now = deadline;
    // The request leaves in time, and its answer comes too late.
    const moments = [deadline - 1, deadline - 1];
    const clock = { ...systemClock, now: () => moments.shift() ?? deadline };
    const outcome = await stage.download({ ...published, deadline }, stage.downloader({ clock }));
    assert.equal(outcome.kind, 'expired');
    assert.equal(published.requests.length, 1);
  });
});

describe('a disk without room', () => {
  const archive = zipLike(6_000_000);

  it('stops the download before its first byte, and tells how much is wanting', async () => {
    await using stage = await openScene();
    await using _disk = await mountTmpfs(join(stage.directory, 'disk'), '13m');
    const directory = join(stage.directory, 'disk');
    const published = stage.server.publish({ form: 'estuary', body: { bytes: archive } });
    await assert.rejects(stage.download({ ...published, directory }), {
      class: 'storage',
      message: `The disk is full: the state directory ${directory} needs 14.4 MB, and 13.6 MB are free.`,
    });
    assert.deepEqual(await openFilesBelow(directory), []);
    assert.deepEqual(await readdir(directory), ['capture.zip.part', 'capture.zip.part.progress']);
    assert.equal(await sizeOf(partPath(join(directory, 'capture.zip'))), 0);
  });

  it('that fills up on the way stops the download with the reason, and lets it go on when there is room', async () => {
    await using stage = await openScene();
    await using _disk = await mountTmpfs(join(stage.directory, 'disk'), '16m');
    const directory = join(stage.directory, 'disk');
    const ballast = join(directory, 'ballast');
    const published = stage.server.publish({ form: 'estuary', body: { bytes: archive } });
    const onProgress = () => {
      if (!existsSync(ballast)) writeFileSync(ballast, Buffer.alloc(13_000_000));
    };
    await assert.rejects(stage.download({ ...published, directory, onProgress }), {
      name: 'ChatkeepError',
      class: 'storage',
      message: /: the disk is full\.$/,
    });
    assert.deepEqual(await openFilesBelow(directory), []);
    const part = await readFile(partPath(join(directory, 'capture.zip')));
    assert.ok(part.length > 0 && part.equals(archive.subarray(0, part.length)));

    await rm(ballast);
    assert.equal((await stage.download({ ...published, directory })).kind, 'whole');
    assert.ok((await readFile(join(directory, 'capture.zip'))).equals(archive));
    assert.deepEqual(ranges(published), [undefined, `bytes=${part.length}-`]);
  });

  it('has the room of what a new body takes the place of', async () => {
    await using stage = await openScene();
    await using _disk = await mountTmpfs(join(stage.directory, 'disk'), '18m');
    const directory = join(stage.directory, 'disk');
    const published = stage.server.publish({ form: 'estuary', body: { bytes: archive } });
    published.faults.push(
      { kind: 'stop', afterBytes: 5_900_000, framing: 'content-length' },
      { kind: 'ignores-range' },
    );
    assert.equal((await stage.download({ ...published, directory })).kind, 'whole');
    assert.ok((await readFile(join(directory, 'capture.zip'))).equals(archive));
  });
});
