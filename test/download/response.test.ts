import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Asked, readHead, retryAfterMs } from '../../src/download/response.ts';
import type { HttpResponse } from '../../src/download/transport.ts';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { TEST_START_MS } from '../support/virtual-clock.ts';

type Headers = HttpResponse['headers'];

const MD5 = '1B2M2Y8AsgTpgAmY7PhCfg==';
const INFINITE = Number.POSITIVE_INFINITY;
const ALL: Asked = { received: 0, identity: { etag: undefined, total: undefined, md5: undefined }, range: undefined };
const HALF: Asked = {
  received: 500,
  identity: { etag: '"a"', total: 1000, md5: MD5 },
  range: { start: 500, end: 1000 },
};

function read(status: number, headers: Headers = {}, asked: Asked = ALL) {
  return readHead({ status, headers, body: noBody(), discard: () => {} }, asked, TEST_START_MS);
}

async function* noBody(): AsyncGenerator<Uint8Array> {}

describe('the head of a whole body', () => {
  it('tells entity tag, length and checksum', () => {
    const headers = { 'content-type': 'application/zip', etag: '"a"', 'content-length': '1000', 'content-md5': MD5 };
    assert.deepEqual(read(200, headers), {
      kind: 'whole-body',
      identity: { etag: '"a"', total: 1000, md5: MD5 },
      divisible: false,
    });
  });

  it('tells whether parts of it can be asked for', () => {
    const headers = { etag: '"a"', 'content-length': '1000' };
    const isDivisible = (more: Headers) => {
      const head = read(200, { ...headers, ...more });
      return head.kind === 'whole-body' && head.divisible;
    };
    for (const value of ['bytes', 'Bytes', 'pages, bytes']) assert.ok(isDivisible({ 'accept-ranges': value }), value);
    for (const value of ['none', 'megabytes', '', undefined])
      assert.ok(!isDivisible({ 'accept-ranges': value }), value);
    const bytes = { 'accept-ranges': 'bytes' };
    assert.ok(!isDivisible({ ...bytes, etag: 'W/"a"' }), 'nothing vouches for the parts');
    assert.ok(!isDivisible({ ...bytes, 'content-length': undefined }), 'there is no telling where the parts end');
  });

  it('may tell nothing', () => {
    assert.deepEqual(read(200), { kind: 'whole-body', identity: ALL.identity, divisible: false });
  });

  it('is a new body also where the rest was asked for', () => {
    assert.deepEqual(read(200, { etag: '"b"', 'content-length': '10' }, HALF), {
      kind: 'whole-body',
      identity: { etag: '"b"', total: 10, md5: undefined },
      divisible: false,
    });
  });

  for (const etag of ['W/"a"', 'a', '"a', '""a"', '"a b"', '"a"\n', '*']) {
    it(`has no entity tag that can vouch for bytes in ${JSON.stringify(etag)}`, () => {
      assert.deepEqual(read(200, { etag }), { kind: 'whole-body', identity: ALL.identity, divisible: false });
    });
  }

  for (const length of ['-1', '1e3', '0x10', '1,000', '10, 10', ' ', '1'.repeat(16)]) {
    it(`has no length in "${length}"`, () => {
      assert.deepEqual(read(200, { 'content-length': length }), {
        kind: 'whole-body',
        identity: ALL.identity,
        divisible: false,
      });
    });
  }

  for (const md5 of ['', 'd41d8cd98f00b204e9800998ecf8427e', MD5.slice(0, -2), `"${MD5}"`]) {
    it(`has no checksum in "${md5}"`, () => {
      assert.deepEqual(read(200, { 'content-md5': md5 }), {
        kind: 'whole-body',
        identity: ALL.identity,
        divisible: false,
      });
    });
  }
});

describe('the head of the rest', () => {
  const rest = { 'content-range': 'bytes 500-999/1000', etag: '"a"', 'content-length': '500' };

  it('is believed where it is what was asked for', () => {
    assert.deepEqual(read(206, rest, HALF), { kind: 'rest', identity: HALF.identity });
  });

  it('may leave the entity tag out, or weaken it, for If-Range has vouched for it', () => {
    assert.equal(read(206, { ...rest, etag: undefined }, HALF).kind, 'rest');
    assert.equal(read(206, { ...rest, etag: 'W/"a"' }, HALF).kind, 'rest');
  });

  it('tells the length where it was not known', () => {
    const identity = { ...HALF.identity, total: undefined };
    const asked = { received: 500, identity, range: { start: 500, end: INFINITE } };
    assert.deepEqual(read(206, rest, asked), { kind: 'rest', identity: HALF.identity });
  });

  it('may be all, though no part was asked for', () => {
    assert.deepEqual(read(206, { ...rest, 'content-range': 'bytes 0-999/1000' }), {
      kind: 'whole-body',
      identity: { etag: '"a"', total: 1000, md5: undefined },
      divisible: false,
    });
  });

  it('may be a part in the middle, where that was asked for', () => {
    const asked = { ...HALF, range: { start: 100, end: 200 } };
    const part = { ...rest, 'content-range': 'bytes 100-199/1000' };
    assert.deepEqual(read(206, part, asked), { kind: 'rest', identity: HALF.identity });
    for (const other of ['100-200/1000', '100-198/1000', '100-999/1000', '99-199/1000', '100-199/1001']) {
      assert.equal(read(206, { ...part, 'content-range': `bytes ${other}` }, asked).kind, 'start-over', other);
    }
  });

  const lies: Record<string, Headers> = {
    'that begins elsewhere': { ...rest, 'content-range': 'bytes 400-999/1000' },
    'that begins at the first byte': { ...rest, 'content-range': 'bytes 0-999/1000' },
    'that ends early': { ...rest, 'content-range': 'bytes 500-998/1000' },
    'that ends behind the end': { ...rest, 'content-range': 'bytes 500-1000/1000' },
    'of another length': { ...rest, 'content-range': 'bytes 500-1999/2000' },
    'of unknown length': { ...rest, 'content-range': 'bytes 500-999/*' },
    'of other units': { ...rest, 'content-range': 'lines 500-999/1000' },
    'that names no range': { ...rest, 'content-range': undefined },
    'in several parts': { ...rest, 'content-range': undefined, 'content-type': 'multipart/byteranges; boundary=x' },
    'under another entity tag': { ...rest, etag: '"b"' },
    'under another weak entity tag': { ...rest, etag: 'W/"b"' },
  };
  for (const [lie, headers] of Object.entries(lies)) {
    it(`is not believed ${lie}`, () => assert.equal(read(206, headers, HALF).kind, 'start-over'));
  }

  it('is not believed where there was no entity tag to ask by', () => {
    const asked = { received: 500, identity: { ...HALF.identity, etag: undefined }, range: undefined };
    assert.equal(read(206, rest, asked).kind, 'start-over');
    assert.equal(read(206, { ...rest, etag: undefined }, asked).kind, 'start-over');
  });
});

describe('a range that the server does not have', () => {
  const all: Asked = { received: 1000, identity: HALF.identity, range: { start: 1000, end: INFINITE } };
  const allOfUnknownLength: Asked = { ...all, identity: { ...HALF.identity, total: undefined } };

  it('means that nothing is left where all has come', () => {
    const nothingLeft = { kind: 'nothing-left', total: 1000 };
    const told = { 'content-range': 'bytes */1000' };
    assert.deepEqual(read(416, {}, all), nothingLeft);
    assert.deepEqual(read(416, told, all), nothingLeft);
    assert.deepEqual(read(416, told, allOfUnknownLength), nothingLeft);
    assert.deepEqual(read(416, told, { ...all, identity: { ...HALF.identity, total: 1500 } }), nothingLeft);
  });

  it('means to begin anew where it has not, or the server has another length', () => {
    assert.equal(read(416, {}, HALF).kind, 'start-over');
    assert.equal(read(416, { 'content-range': 'bytes */400' }, HALF).kind, 'start-over');
    assert.equal(read(416, { 'content-range': 'bytes */900' }, all).kind, 'start-over');
    assert.equal(read(416, {}, allOfUnknownLength).kind, 'start-over');
    assert.equal(read(416, { 'content-range': 'bytes */0' }).kind, 'start-over');
  });

  it('is told in other words by a failed precondition', () => {
    assert.equal(read(412, {}, HALF).kind, 'start-over');
  });
});

describe('what is no export', () => {
  const html = { 'content-type': 'Text/HTML; charset=utf-8' };

  it('is a page with status 200 or 206', () => {
    for (const status of [200, 206]) {
      assert.deepEqual(read(status, html), {
        kind: 'login-page',
        detail: 'A web page came instead of the export.',
      });
    }
    assert.equal(read(200, { 'content-type': 'application/xhtml+xml' }).kind, 'login-page');
  });

  it('is a challenge, whatever the status', () => {
    for (const status of [200, 403, 503]) {
      assert.equal(read(status, { ...html, 'cf-mitigated': 'challenge' }).kind, 'login-page');
    }
  });

  it('is a denial, with or without a page', () => {
    assert.deepEqual(read(403, { 'content-type': 'application/json' }), {
      kind: 'denied',
      detail: 'The server answered 403: access was denied.',
    });
    assert.deepEqual(read(401, html), {
      kind: 'denied',
      detail: 'The server answered 401: a page came instead of the export.',
    });
  });

  it('is a redirect', () => {
    for (const status of [301, 302, 303, 307, 308]) {
      assert.deepEqual(read(status, { location: '/login' }), { kind: 'redirect', location: '/login' });
    }
    assert.deepEqual(read(302), { kind: 'redirect', location: undefined });
  });

  it('is any other status: try later', () => {
    const details = [304, 404, 410, 418, 429, 500, 503].map((status) => read(status));
    assert.deepEqual(details, [
      { kind: 'try-later', detail: 'The server answered 304.', retryAfterMs: undefined },
      { kind: 'try-later', detail: 'The server answered 404 (it does not know this link).', retryAfterMs: undefined },
      { kind: 'try-later', detail: 'The server answered 410 (the link is gone).', retryAfterMs: undefined },
      { kind: 'try-later', detail: 'The server answered 418.', retryAfterMs: undefined },
      { kind: 'try-later', detail: 'The server answered 429 (too many requests).', retryAfterMs: undefined },
      { kind: 'try-later', detail: 'The server answered 500 (an error of its own).', retryAfterMs: undefined },
      {
        kind: 'try-later',
        detail: 'The server answered 503 (it is not available at present).',
        retryAfterMs: undefined,
      },
    ]);
  });

  it('tells when to come back', () => {
    const head = read(503, { 'retry-after': '120' });
    assert.equal(head.kind === 'try-later' && head.retryAfterMs, 120_000);
  });
});

describe('Retry-After', () => {
  const inAnHour = new Date(TEST_START_MS + HOUR_MS).toUTCString();
  const anHourAgo = new Date(TEST_START_MS - HOUR_MS).toUTCString();
  const values: [string | undefined, number | undefined][] = [
    ['0', 0],
    ['120', 120_000],
    [' 120 ', 120_000],
    [inAnHour, HOUR_MS],
    [anHourAgo, 0],
    ['Saturday, 21-Nov-26 20:05:33 GMT', HOUR_MS],
    [undefined, undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['9999999999', undefined],
    ['soon', undefined],
    ['soon, 5 GMT', undefined],
    ['2026-11-21', undefined],
  ];
  for (const [value, ms] of values) {
    it(`${JSON.stringify(value)} means ${ms === undefined ? 'nothing' : `${ms} ms`}`, () => {
      assert.equal(retryAfterMs(value, TEST_START_MS), ms);
    });
  }
});

describe('any head at all', () => {
  const names = [
    'etag',
    'content-length',
    'content-range',
    'content-md5',
    'content-type',
    'location',
    'retry-after',
    'cf-mitigated',
  ];
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"a"', 'W/"a"', '1000', 'bytes 500-999/1000', 'bytes */1000', 'text/html', 'challenge', MD5),
    fc.tuple(fc.nat(), fc.nat(), fc.nat()).map(([start, last, total]) => `bytes ${start}-${last}/${total}`),
    fc.bigInt().map(String),
  );
  const headers = fc.dictionary(fc.constantFrom(...names), fc.option(value, { nil: undefined }));
  const start = fc.oneof(fc.nat(), fc.constant(500));
  const asked = fc.record({
    received: start,
    range: fc.option(fc.record({ start, end: fc.oneof(fc.constantFrom(1000, INFINITE), fc.nat()) }), {
      nil: undefined,
    }),
    identity: fc.record({
      etag: fc.constantFrom(undefined, '"a"'),
      total: fc.oneof(fc.constantFrom(undefined, 1000), fc.nat()),
      md5: fc.constantFrom(undefined, MD5),
    }),
  });

  it('is judged, and never believed to be a rest that was not asked for', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(200, 206, 302, 403, 416), fc.nat(999)),
        headers,
        asked,
        (status, all, { range, ...had }) => {
          const head = read(status, all, { range, ...had });
          if (head.kind !== 'rest') return;
          assert.equal(status, 206);
          assert.ok(had.identity.etag !== undefined && range !== undefined);
          const total = Number(head.identity.total);
          const last = Math.min(range.end, total) - 1;
          assert.equal(all['content-range'], `bytes ${range.start}-${last}/${total}`);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('leads to a wait that is a number of milliseconds, if to any', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          value,
          fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
        ),
        (text) => {
          const ms = retryAfterMs(text, TEST_START_MS);
          assert.ok(ms === undefined || (Number.isFinite(ms) && ms >= 0));
        },
      ),
    );
  });
});
