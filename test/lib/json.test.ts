import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonOf } from '../../src/lib/json.ts';

describe('jsonOf', () => {
  it('gives what a JSON text holds, and undefined for any other', () => {
    assert.deepEqual(['{"a":[1]}', '"a"', 'null', '', '{', 'a'].map(jsonOf), [
      { a: [1] },
      'a',
      null,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
