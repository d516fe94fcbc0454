import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { everyByteOf } from '../../src/download/body.ts';

/** What comes of a stream, and with what it breaks off. */
async function taken(bytes: AsyncIterable<Uint8Array>): Promise<{ bytes: Buffer; error: unknown }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of bytes) chunks.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error };
  }
  return { bytes: Buffer.concat(chunks), error: undefined };
}

describe('the bytes of a stream', () => {
  it('are all that went in, whatever the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1 })), async (pieces) => {
        const stream = Readable.from(
          pieces.map((piece) => Buffer.from(piece)),
          { objectMode: false },
        );
        assert.deepEqual(await taken(everyByteOf(stream)), { bytes: Buffer.concat(pieces), error: undefined });
      }),
    );
  });

  it('are all that arrived when it breaks off, even if none had been taken by then', async () => {
    const stream = new PassThrough();
    const bytes = everyByteOf(stream);
    stream.write('all that ');
    stream.write('arrived');
    await turn();
    const failure = new Error('broken off');
    stream.destroy(failure);
    await turn();
    assert.deepEqual(await taken(bytes), { bytes: Buffer.from('all that arrived'), error: failure });
  });

  it('end with an error when it is discarded', async () => {
    const stream = new PassThrough();
    const end = taken(everyByteOf(stream));
    await turn();
    stream.destroy();
    assert.match(String((await end).error), /Premature close/);
  });

  it('wait to be taken, but for a limit: then their sender waits', async () => {
    const stream = new PassThrough();
    const bytes = everyByteOf(stream);
    const piece = Buffer.alloc(64 * 1024);
    let written = 0;
    for (; written < 1000 && !stream.writableNeedDrain; written += 1) {
      stream.write(piece);
      await turn();
    }
    assert.ok(written < 20, `${written} pieces are held`);
    stream.end();
    assert.equal((await taken(bytes)).bytes.length, written * piece.length);
  });
});
