import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { giveBack, readingIntoBlocks } from '../../src/download/read-blocks.ts';

const BYTES = Buffer.from(Array.from({ length: 1_000_000 }, (_, at) => (at * at) >> 3));

/** What a socket brings that reads into blocks, from a server that sends BYTES. */
async function brought(): Promise<Uint8Array[]> {
  const server = createServer((socket) => socket.end(BYTES)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const records: Uint8Array[] = [];
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    onread: readingIntoBlocks((record) => {
      records.push(record);
      return true;
    }),
  });
  socket.resume();
  await once(socket, 'close');
  server.close();
  return records;
}

describe('a socket that reads into blocks', () => {
  it('brings every byte in order, and none is written over while it is held', async () => {
    assert.deepEqual(Buffer.concat(await brought()), BYTES);
  });

  it('lays what it brings side by side, block after block', async () => {
    const records = await brought();
    const blocks = new Set(records.map(({ buffer }) => buffer));
    assert.ok(blocks.size < records.length, `${records.length} records in ${blocks.size} blocks`);
    for (const block of blocks) {
      let end = 0;
      for (const { byteOffset, byteLength } of records.filter(({ buffer }) => buffer === block)) {
        assert.equal(byteOffset, end);
        end += byteLength;
      }
    }
  });
});

/** Reads bytes as a socket does, without one; gives what was brought of them. */
class Reading {
  readonly #brought: Uint8Array[] = [];
  readonly #onread = readingIntoBlocks((record) => {
    this.#brought.push(record);
    return true;
  });

  read(bytes: Uint8Array): Uint8Array {
    const place = (this.#onread.buffer as () => Uint8Array)();
    place.set(bytes);
    this.#onread.callback(bytes.length, place);
    const record = this.#brought.pop();
    assert.ok(record);
    return record;
  }
}

const RECORD_BYTES = 16 * 1024;

describe('a block', () => {
  it('is used again once all of it was given back', () => {
    const reading = new Reading();
    const used = new Set<ArrayBufferLike>();
    for (let count = 0; count < 1000; count += 1) {
      const record = reading.read(Buffer.alloc(RECORD_BYTES, count));
      used.add(record.buffer);
      giveBack(record);
    }
    assert.equal(used.size, 1);
  });

  it('is never read into while any of it is held, in whatever order and pieces the rest is given back', () => {
    const step = fc.record({
      bytes: fc.integer({ min: 1, max: RECORD_BYTES }),
      /** Which of the pieces that are held is given back then, if there are so many; and where it is cut before. */
      back: fc.option(fc.record({ which: fc.nat(40), cut: fc.double({ min: 0, max: 1, noNaN: true }) })),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 400, size: 'max' }), (steps) => {
        const reading = new Reading();
        const held: { piece: Uint8Array; content: Buffer }[] = [];
        for (const [index, { bytes, back }] of steps.entries()) {
          const content = Buffer.alloc(bytes, index % 251);
          held.push({ piece: reading.read(content), content });
          const [taken] = back === null ? [] : held.splice(back.which, 1);
          if (taken === undefined || back === null) continue;
          const cut = Math.floor(back.cut * taken.piece.length);
          giveBack(taken.piece.subarray(cut));
          if (cut > 0) held.push({ piece: taken.piece.subarray(0, cut), content: taken.content.subarray(0, cut) });
        }
        for (const { piece, content } of held) assert.ok(content.equals(piece));
      }),
      { numRuns: 30 },
    );
  });

  it('that is free is for one reader, whatever is said of nothing', () => {
    const reading = new Reading();
    const records = Array.from({ length: 64 }, () => reading.read(Buffer.alloc(RECORD_BYTES)));
    for (const record of records) {
      giveBack(record);
      giveBack(record.subarray(0, 0));
    }
    const again = Array.from({ length: 64 }, (_, index) => reading.read(Buffer.alloc(RECORD_BYTES, index)));
    for (const [index, record] of again.entries()) assert.ok(Buffer.alloc(RECORD_BYTES, index).equals(record));
  });

  it('is what was brought of a socket only: other memory may be given back and is left alone', () => {
    const other = Buffer.from('of nobody');
    giveBack(other);
    assert.equal(other.toString(), 'of nobody');
  });
});
