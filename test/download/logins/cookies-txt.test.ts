import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type Cookie,
  cookieFits,
  formatCookiesTxt,
  parseCookiesTxt,
  sessionCookieEnds,
} from '../../../src/download/logins/cookies-txt.ts';
import { TEST_START_MS } from '../../support/virtual-clock.ts';
import { cookieLine as line, SESSION_COOKIE } from './cookie-line.ts';

const NOW = TEST_START_MS;
const ADDRESS = new URL('https://chatgpt.com/backend-api/estuary/content?id=a.zip');

const COOKIE: Cookie = {
  domain: 'chatgpt.com',
  includeSubdomains: true,
  path: '/',
  expires: 0,
  name: 'a',
  value: 'b',
};

describe('cookies.txt', () => {
  it('is one cookie a line, of seven fields between tabs', () => {
    const text = `# Netscape HTTP Cookie File\n\n${line({ expires: '1795000000', name: SESSION_COOKIE, value: 'x=y' })}\n`;
    assert.deepEqual(parseCookiesTxt(text), [
      { ...COOKIE, expires: 1_795_000_000_000, name: SESSION_COOKIE, value: 'x=y' },
    ]);
  });

  it('may have the line ends of Windows, and a byte order mark', () => {
    const text = `\uFEFF# Netscape HTTP Cookie File\r\n${line({})}\r\n${line({ name: 'c' })}\r\n`;
    assert.deepEqual(
      parseCookiesTxt(text).map(({ name, value }) => [name, value]),
      [
        ['a', 'b'],
        ['c', 'b'],
      ],
    );
  });

  it('has cookies behind #HttpOnly_, and comments behind any other #', () => {
    const text = [`#HttpOnly_${line({})}`, `# ${line({})}`, `#${line({})}`].join('\n');
    assert.deepEqual(parseCookiesTxt(text), [COOKIE]);
  });

  it('tells for which hosts a cookie is', () => {
    const of = (domain: string, subdomains: string) => {
      const [cookie] = parseCookiesTxt(line({ domain, subdomains }));
      return [cookie?.domain, cookie?.includeSubdomains];
    };
    assert.deepEqual(of('.ChatGPT.com', 'TRUE'), ['chatgpt.com', true]);
    assert.deepEqual(of('.chatgpt.com', 'FALSE'), ['chatgpt.com', true]);
    assert.deepEqual(of('chatgpt.com', 'FALSE'), ['chatgpt.com', false]);
    assert.deepEqual(of('chatgpt.com', 'true'), ['chatgpt.com', true]);
  });

  it('tells when a cookie expires; never, where there is no time', () => {
    const of = (expires: string) => parseCookiesTxt(line({ expires }))[0]?.expires;
    assert.deepEqual(
      ['0', '', '-1', 'never', '1795000000', '1795000000.25'].map(of),
      [0, 0, 0, 0, 1_795_000_000_000, 1_795_000_000_250],
    );
  });

  it('may hold an empty value', () => {
    assert.equal(parseCookiesTxt(line({ value: '' }))[0]?.value, '');
  });

  it('has lines of another shape passed over', () => {
    const text = [
      'chatgpt.com\tTRUE\t/\tTRUE\t0\ta',
      `${line({})}\tmore`,
      line({ name: '' }),
      line({ domain: '' }),
      line({ path: '' }),
      line({}).replaceAll('\t', ' '),
      line({ name: 'kept' }),
    ].join('\n');
    assert.deepEqual(
      parseCookiesTxt(text).map(({ name }) => name),
      ['kept'],
    );
  });

  it('has cookies passed over that no header field can carry, or that forge one', () => {
    const values = ['x\ry', 'x\u0000y', 'x\u007fy', 'x; y', 'naïve', '日本', 'x\u2028y'];
    const text = values.map((value) => line({ value })).join('\n');
    assert.deepEqual(parseCookiesTxt(text), []);
    assert.deepEqual(parseCookiesTxt(line({ name: 'a;b' })), []);
  });

  it('gives back every cookie that can be written', () => {
    const printable = fc.stringMatching(/^[!-:<-~]+$/);
    const domain = fc.domain();
    const cookie = fc.record({ domain, expires: fc.nat(), name: printable, value: printable, httpOnly: fc.boolean() });
    fc.assert(
      fc.property(fc.array(cookie), fc.constantFrom('\n', '\r\n'), (cookies, lineEnd) => {
        const text = cookies
          .map(
            ({ httpOnly, expires, ...fields }) =>
              (httpOnly ? '#HttpOnly_' : '') + line({ ...fields, expires: `${expires}` }),
          )
          .join(lineEnd);
        assert.deepEqual(
          parseCookiesTxt(text).map(({ name, value, expires }) => ({ name, value, expires })),
          cookies.map(({ name, value, expires }) => ({ name, value, expires: expires * 1000 })),
        );
      }),
    );
  });

  it('is written so that it is read as it was', () => {
    const text = [
      line({ name: SESSION_COOKIE, expires: '1795000000' }),
      line({ domain: 'chatgpt.com', subdomains: 'FALSE', path: '/api', value: '' }),
    ].join('\n');
    const cookies = parseCookiesTxt(text);
    assert.equal(cookies.length, 2);
    assert.deepEqual(parseCookiesTxt(formatCookiesTxt(cookies)), cookies);
  });

  it('of any content is read, and gives nothing that could forge a header field', () => {
    const field = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('TRUE', '/', '0', 'chatgpt.com', '\r', '\n', ';'),
    );
    const text = fc.array(fc.array(field).map((fields) => fields.join('\t'))).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, (anything) => {
        for (const { name, value, expires } of parseCookiesTxt(anything)) {
          assert.match(`${name}=${value}`, /^[ -:<-~]+$/);
          assert.ok(expires >= 0);
        }
      }),
    );
  });
});

describe('a cookie', () => {
  const fits = (cookie: Partial<Cookie>, address = ADDRESS.href) =>
    cookieFits({ ...COOKIE, ...cookie }, new URL(address), NOW);

  it('goes to its own host', () => {
    assert.ok(fits({ includeSubdomains: false }));
    assert.ok(fits({}, 'https://CHATGPT.com/'));
    assert.ok(!fits({ domain: 'openai.com' }));
    assert.ok(!fits({ domain: 'com', includeSubdomains: false }));
  });

  it('goes to subdomains where it says so, and only to those', () => {
    assert.ok(fits({}, 'https://cdn.chatgpt.com/'));
    assert.ok(!fits({ includeSubdomains: false }, 'https://cdn.chatgpt.com/'));
    assert.ok(!fits({}, 'https://evilchatgpt.com/'));
    assert.ok(!fits({}, 'https://chatgpt.com.evil.test/'));
    assert.ok(!fits({ domain: 'cdn.chatgpt.com' }));
  });

  it('goes below its path (RFC 6265 section 5.1.4)', () => {
    assert.ok(fits({ path: '/backend-api' }));
    assert.ok(fits({ path: '/backend-api/' }));
    assert.ok(fits({ path: '/backend-api/estuary/content' }));
    assert.ok(!fits({ path: '/backend-api/estuary/content/' }));
    assert.ok(!fits({ path: '/backend' }));
    assert.ok(!fits({ path: '/api' }));
    assert.ok(!fits({ path: '/backend-api/estuary/content/more' }));
  });

  it('goes until it expires', () => {
    assert.ok(fits({ expires: NOW + 1 }));
    assert.ok(!fits({ expires: NOW }));
    assert.ok(!fits({ expires: NOW - 1 }));
  });
});

describe('the session cookie', () => {
  const ends = (...lines: string[]) => sessionCookieEnds(parseCookiesTxt(lines.join('\n')), 'chatgpt.com');

  it('ends when its first part does', () => {
    const parts = [
      line({ name: `${SESSION_COOKIE}.0`, expires: '1795000000' }),
      line({ name: `${SESSION_COOKIE}.1`, expires: '1794000000' }),
    ];
    assert.equal(ends(...parts, line({ name: 'other', expires: '1700000000' })), 1_794_000_000_000);
  });

  it('has no end where it says none, or is for another host', () => {
    assert.equal(ends(line({ name: SESSION_COOKIE })), undefined);
    assert.equal(ends(line({ name: SESSION_COOKIE, domain: '.openai.com', expires: '1795000000' })), undefined);
    assert.equal(ends(), undefined);
  });
});
