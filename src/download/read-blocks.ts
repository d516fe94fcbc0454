import type { OnReadOpts } from 'node:net';

/** What Node.js hands on at a time: a TLS record holds no more (RFC 8446 section 5.1). */
const RECORD_BYTES = 16 * 1024;
/** Small enough for a processor's cache to hold one while it goes from the socket to the disk. */
const BLOCK_BYTES = 16 * RECORD_BYTES;
/**
 * What one socket keeps of blocks that are free: as much as may wait to be taken (body.ts), be gathered and be written
 * (part-file.ts). Blocks that are made anew all the time have V8 collect its heap several times a second.
 */
const MOST_FREE = 64;

/** A piece of memory that a socket is read into, from its beginning to its end. */
interface Block {
  readonly memory: Buffer;
  /** Bytes of it that were brought and not given back. */
  lent: number;
  /** Whether nothing more can be read into it before it is free. */
  full: boolean;
  /** Where it goes when it is full and all of it was given back. */
  readonly free: Block[];
}

const blocks = new WeakMap<ArrayBufferLike, Block>();

/**
 * Has a socket read into blocks of memory, one record behind the other, where Node.js would give each record a buffer of
 * its own: 125,000 of them for 2 GB, which take more time than to decrypt what is in them. What lies side by side can be
 * handed on, and written, as one piece.
 *
 * A block is used again once all that was brought in it was given back ({@link giveBack}). Who keeps a piece for good
 * need not say so: its block is then left to the garbage collector, like any memory.
 *
 * @param bring told of each record, a view of its block; gives false when no more is wanted for now
 */
export function readingIntoBlocks(bring: (record: Uint8Array) => boolean): OnReadOpts {
  const free: Block[] = [];
  let block = newBlock(free);
  let at = 0;
  return {
    buffer: () => {
      if (BLOCK_BYTES - at < RECORD_BYTES) {
        block.full = true;
        settle(block);
        block = free.pop() ?? newBlock(free);
        at = 0;
      }
      return block.memory.subarray(at, at + RECORD_BYTES);
    },
    callback: (bytes, buffer) => {
      at += bytes;
      block.lent += bytes;
      return bring(buffer.subarray(0, bytes));
    },
  };
}

/**
 * Says that nobody looks at these bytes any more: something else may be read into their place. To be said once of each
 * byte, and of none that was not brought; memory that is nobody's block is left alone.
 */
export function giveBack(bytes: Uint8Array): void {
  const block = blocks.get(bytes.buffer);
  if (block === undefined) return;
  block.lent -= bytes.byteLength;
  settle(block);
}

function settle(block: Block): void {
  if (!block.full || block.lent !== 0) return;
  block.full = false;
  if (block.free.length < MOST_FREE) block.free.push(block);
}

function newBlock(free: Block[]): Block {
  // Memory of its own: of Node.js's pool others have pieces.
  const block: Block = { memory: Buffer.allocUnsafeSlow(BLOCK_BYTES), lent: 0, full: false, free };
  blocks.set(block.memory.buffer, block);
  return block;
}
