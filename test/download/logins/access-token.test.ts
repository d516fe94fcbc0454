import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { lifetimeOf, parseAccessToken } from '../../../src/download/logins/access-token.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { TEST_START_MS as NOW } from '../../support/virtual-clock.ts';
import { jwt } from './jwt.ts';

describe('The lifetime of a token', () => {
  const of = (token: string) => lifetimeOf(new Secret(token));

  it('is what a JWT says of itself', () => {
    assert.deepEqual(of(jwt({ exp: NOW, iat: NOW - 1000 })), { until: NOW, since: NOW - 1000 });
    assert.equal(of(jwt({ exp: NOW })).since, undefined);
  });

  it('is not known of a token that is no JWT, or one that says nothing usable', () => {
    const claims = (value: unknown) => `a.${Buffer.from(JSON.stringify(value)).toString('base64url')}.c`;
    const others = [
      'opaque',
      'a.b',
      'a.b.c',
      'a..c',
      claims({}),
      claims([]),
      claims(null),
      claims({ exp: 'tomorrow' }),
      claims({ exp: -5 }),
      claims({ exp: 1e300 }),
    ];
    for (const token of others) assert.equal(of(token).until, undefined, token);
  });

  it('is read from any text without a fault', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const { until } = of(parts.join('.'));
        if (until !== undefined) assert.ok(!Number.isNaN(new Date(until).getTime()));
      }),
    );
  });
});

describe('The access token in a text', () => {
  it('can be sent in a header field, whatever the text', () => {
    const token = fc.oneof(fc.stringMatching(/^[\w.~+/-]+=*$/), fc.string({ unit: 'binary' }));
    const text = fc.oneof(
      token,
      token.map((accessToken) => JSON.stringify({ accessToken })),
      token.map((access_token) => JSON.stringify({ tokens: { access_token, account_id: access_token } })),
      fc.json(),
    );
    fc.assert(
      fc.property(text, (any) => {
        const found = parseAccessToken(any);
        if (found === undefined) return;
        assert.match(found.token.reveal(), /^[\w.~+/-]+=*$/);
        assert.match(found.accountId ?? 'none', /^[\w.-]+$/);
      }),
    );
  });
});
