import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PartWriter, type WriteOut } from '../../../src/download/part/part-writer.ts';
import { readingIntoBlocks } from '../../../src/download/read-blocks.ts';

const RECORD_BYTES = 16 * 1024;
const BLOCK_BYTES = 16 * RECORD_BYTES;

/** Has a writer take three blocks of a socket; gives the memory that it was, in order. */
async function memoryOfThreeBlocks(writeOut: WriteOut): Promise<ArrayBufferLike[]> {
  const writer = new PartWriter(0, { writeOut, gatherBytes: () => BLOCK_BYTES, closed: () => {} });
  const brought: Uint8Array[] = [];
  const { buffer, callback } = readingIntoBlocks((record) => brought.push(record) > 0);
  for (let at = 0; at < 3 * BLOCK_BYTES; at += RECORD_BYTES) {
    callback(RECORD_BYTES, (buffer as () => Uint8Array)());
    const record = brought.at(-1);
    assert.ok(record);
    // A disk that failed has been told of by another test.
    await writer.append(record).catch(() => {});
  }
  return [...new Set(brought.map((record) => record.buffer))];
}

describe('the memory of what is to be written', () => {
  it('is given back when it was written', async () => {
    const blocks = await memoryOfThreeBlocks(async (chunks, _, wrote) => {
      for (const chunk of chunks) wrote(chunk.byteLength);
    });
    assert.equal(blocks.length, 1);
  });

  it('is not given back while it may be written yet, or when that failed', async () => {
    const blocks = await memoryOfThreeBlocks(() => Promise.reject(new Error('the disk is full')));
    assert.equal(blocks.length, 3);
  });
});
