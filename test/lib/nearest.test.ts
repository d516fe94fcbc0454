import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nearest } from '../../src/lib/nearest.ts';

describe('the nearest candidate', () => {
  const cases = [
    ['pasword_file', ['password', 'password_file', 'ca_file'], 'password_file'],
    ['tsl', ['tls', 'starttls', 'none'], 'tls'],
    ['CHATKEEP_IMPA_HOST', ['CHATKEEP_IMAP_HOST', 'CHATKEEP_IMAP_PORT'], 'CHATKEEP_IMAP_HOST'],
    ['Level', ['level', 'format'], 'level'],
    ['discord', ['ntfy', 'json', 'smtp'], undefined],
    ['xyz', ['tls'], undefined],
    ['', ['a'], undefined],
  ] as const;
  for (const [word, candidates, expected] of cases) {
    it(`to "${word}" among ${candidates.join(', ')} is ${expected ?? 'none'}`, () => {
      assert.equal(nearest(word, candidates), expected);
    });
  }

  it('to a candidate with one slip in it is that candidate, when the others are far', () => {
    const slip = fc.tuple(fc.nat({ max: 11 }), fc.constantFrom('', 'x', 'xy'));
    fc.assert(
      fc.property(slip, ([at, replacement]) => {
        const word = 'search_every';
        assert.equal(nearest(word.slice(0, at) + replacement + word.slice(at + 1), ['host', word, 'account']), word);
      }),
    );
  });
});
