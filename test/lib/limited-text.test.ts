import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { textWithin } from '../../src/lib/limited-text.ts';

async function* body(...pieces: Buffer[]) {
  yield* pieces;
}

describe('textWithin', () => {
  it('puts the pieces together, also where a character is split between them', async () => {
    const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
    assert.equal(await textWithin(body(first, second), 2), 'é');
  });

  it('takes no more than it is allowed to', async () => {
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked += 1;
        yield Buffer.alloc(10);
      }
    }
    await assert.rejects(textWithin(endless(), 25), RangeError);
    assert.equal(asked, 3);
  });
});
