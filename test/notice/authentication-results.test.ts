import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { authservIdOf, parseAuthenticationResults } from '../../src/notice/authentication-results.ts';

describe('An Authentication-Results field', () => {
  it('is read with its methods, results and properties (RFC 8601 appendix B.5)', () => {
    const value =
      'example.com; dkim=pass (good signature) header.d=example.com; sender-id=fail header.from=example.com';
    assert.deepEqual(parseAuthenticationResults(value), {
      authservId: 'example.com',
      results: [
        { method: 'dkim', result: 'pass', properties: [{ name: 'header.d', value: 'example.com' }] },
        { method: 'sender-id', result: 'fail', properties: [{ name: 'header.from', value: 'example.com' }] },
      ],
    });
  });

  it('is read with comments everywhere (RFC 8601 appendix B.7)', () => {
    const value =
      "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462";
    assert.deepEqual(parseAuthenticationResults(value), {
      authservId: 'foo.example.net',
      results: [{ method: 'dkim', result: 'fail', properties: [{ name: 'policy.expired', value: '1362471462' }] }],
    });
  });

  it('is read when nothing was checked', () => {
    assert.deepEqual(parseAuthenticationResults('example.org 1; none'), { authservId: 'example.org', results: [] });
  });

  it('keeps quoted text together, whatever it holds', () => {
    assert.deepEqual(parseAuthenticationResults('a.test; auth=pass smtp.auth="x; dmarc=pass \\" y"')?.results, [
      { method: 'auth', result: 'pass', properties: [{ name: 'smtp.auth', value: 'x; dmarc=pass " y' }] },
    ]);
  });

  it('tells its server even if the rest cannot be read', () => {
    assert.equal(authservIdOf('MX.test; ((('), 'mx.test');
    assert.equal(parseAuthenticationResults('MX.test; ((('), undefined);
    assert.equal(authservIdOf('dkim=pass'), undefined);
  });

  it('is read without an error, whatever it holds', () => {
    const piece = fc.constantFrom(
      ';',
      '=',
      '(',
      ')',
      '"',
      '\\',
      '.',
      '/',
      ' ',
      '\t',
      '1',
      'dmarc',
      'pass',
      'mx.test',
      'é',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (value) => {
        const read = parseAuthenticationResults(value);
        if (read !== undefined) assert.equal(read.authservId, authservIdOf(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives back what was written, wherever comments and spaces stand', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
    const comment = fc
      .string({ maxLength: 20 })
      .map((text) => `(${text.replace(/[()\\]/g, '\\$&').replace(/[\r\n]/g, ' ')})`);
    const space = fc.oneof(
      fc.constant(' '),
      comment.map((text) => ` ${text} `),
    );
    const result = fc.record({
      method: word,
      result: word,
      type: word,
      property: word,
      value: fc.string({ maxLength: 20 }),
    });
    fc.assert(
      fc.property(
        word,
        fc.array(result, { minLength: 1, maxLength: 4 }),
        fc.array(space, { minLength: 40, maxLength: 40 }),
        (id, results, spaces) => {
          fc.pre(results.every(({ method }) => method !== 'none'));
          let used = 0;
          const gap = () => spaces[used++ % spaces.length] ?? ' ';
          const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
          const parts = results.map(
            (each) =>
              `;${gap()}${each.method}${gap()}=${gap()}${each.result}${gap()}${each.type}${gap()}.${gap()}${each.property}${gap()}=${gap()}${quoted(each.value)}${gap()}`,
          );
          assert.deepEqual(parseAuthenticationResults(`${gap()}${id}${gap()}${parts.join('')}`), {
            authservId: id,
            results: results.map(({ method, result, type, property, value }) => ({
              method,
              result,
              properties: [{ name: `${type}.${property}`, value }],
            })),
          });
        },
      ),
    );
  });
});
