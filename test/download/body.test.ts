import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Body } from '../../src/download/body.ts';

/** A sender that counts how often it was told to wait, and to go on. */
class CountingFlow {
  pauses = 0;
  resumes = 0;
  pause = () => {
    this.pauses += 1;
  };
  resume = () => {
    this.resumes += 1;
  };
}

/** What comes of a body, and with what it breaks off. */
async function taken(body: Body): Promise<{ bytes: Buffer; error: unknown }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error };
  }
  return { bytes: Buffer.concat(chunks), error: undefined };
}

describe('the bytes of a body', () => {
  it('are all that were brought, in order, whether they were waited for or not', async () => {
    const step = fc.oneof(fc.uint8Array({ minLength: 1 }), fc.constant('wait' as const));
    await fc.assert(
      fc.asyncProperty(fc.array(step), async (steps) => {
        const body = new Body(new CountingFlow());
        const taking = taken(body);
        const brought: Uint8Array[] = [];
        for (const chunk of steps) {
          if (chunk === 'wait') {
            await new Promise((resolve) => setImmediate(resolve));
          } else {
            brought.push(chunk);
            body.bring(chunk);
          }
        }
        body.end();
        assert.deepEqual(await taking, { bytes: Buffer.concat(brought), error: undefined });
      }),
    );
  });

  it('are all that arrived when it breaks off, even if none had been taken by then', async () => {
    const body = new Body(new CountingFlow());
    body.bring(Buffer.from('all that '));
    body.bring(Buffer.from('arrived'));
    const failure = new Error('broken off');
    body.end({ error: failure });
    assert.deepEqual(await taken(body), { bytes: Buffer.from('all that arrived'), error: failure });
  });

  it('end as they ended first, with an error that is undefined, too', async () => {
    const whole = new Body(new CountingFlow());
    whole.end();
    whole.end({ error: new Error('too late') });
    assert.deepEqual(await taken(whole), { bytes: Buffer.alloc(0), error: undefined });
    const broken = new Body(new CountingFlow());
    broken.end({ error: undefined });
    await assert.rejects(async () => {
      for await (const _ of broken);
    });
  });

  it('wait to be taken, but for a limit: then their sender waits until half are taken', async () => {
    const flow = new CountingFlow();
    const body = new Body(flow);
    const piece = Buffer.alloc(1024 * 1024);
    for (let count = 0; count < 7; count += 1) body.bring(piece);
    assert.equal(flow.pauses, 0);
    body.bring(piece);
    assert.equal(flow.pauses, 1);
    const iterator = body[Symbol.asyncIterator]();
    for (let count = 0; count < 4; count += 1) await iterator.next();
    assert.equal(flow.resumes, 0);
    await iterator.next();
    assert.equal(flow.resumes, 1);
  });

  it('that are brought within one turn of the event loop are taken together', async () => {
    const body = new Body(new CountingFlow());
    const memory = Buffer.from('side by side, and elsewhere');
    const first = body[Symbol.asyncIterator]().next();
    body.bring(memory.subarray(0, 5));
    await Promise.resolve();
    body.bring(memory.subarray(5, 12));
    assert.deepEqual(await first, { done: false, value: new Uint8Array(Buffer.from('side by side')) });
  });

  it('are given out in one piece where they lie side by side in memory, and nowhere else', async () => {
    const cuts = fc.array(fc.nat(100), { maxLength: 10 }).map((places) => [0, ...places.sort((a, b) => a - b), 100]);
    const memory = Buffer.from(Array.from({ length: 100 }, (_, at) => at));
    await fc.assert(
      fc.asyncProperty(cuts, fc.integer({ min: 1, max: 3 }), async (places, step) => {
        const body = new Body(new CountingFlow());
        const pieces = places.slice(1).map((end, index) => memory.subarray(places[index], end));
        // With a step of 1 each piece is the neighbour of the one before it.
        const brought = pieces.filter((piece, index) => piece.length > 0 && index % step === 0);
        for (const piece of brought) body.bring(piece);
        body.end();
        const given: Uint8Array[] = [];
        for await (const piece of body) given.push(piece);
        assert.deepEqual(Buffer.concat(given), Buffer.concat(brought));
        if (step === 1) assert.equal(given.length, 1);
      }),
    );
  });
});
