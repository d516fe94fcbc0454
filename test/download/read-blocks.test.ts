import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { readingIntoBlocks } from '../../src/download/read-blocks.ts';

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
