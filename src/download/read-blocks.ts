import type { OnReadOpts } from 'node:net';

/** What Node.js hands on at a time: a TLS record holds no more (RFC 8446 section 5.1). */
const RECORD_BYTES = 16 * 1024;
/** Larger ones outlive V8's young generation, and have all of the heap searched for garbage again and again. */
const BLOCK_BYTES = 16 * RECORD_BYTES;

/**
 * Has a socket read into blocks of memory, one record behind the other, where Node.js would give each record a buffer of
 * its own: 125,000 of them for 2 GB, which take more time than to decrypt what is in them. What lies side by side can be
 * handed on, and written, as one piece.
 *
 * @param bring told of each record, a view of its block; gives false when no more is wanted for now
 */
export function readingIntoBlocks(bring: (record: Uint8Array) => boolean): OnReadOpts {
  let block = Buffer.alloc(0);
  let at = 0;
  return {
    buffer: () => {
      if (block.byteLength - at < RECORD_BYTES) {
        // Not from Node.js's pool: it would never be given back.
        block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
        at = 0;
      }
      return block.subarray(at, at + RECORD_BYTES);
    },
    callback: (bytes, buffer) => {
      at += bytes;
      return bring(buffer.subarray(0, bytes));
    },
  };
}
