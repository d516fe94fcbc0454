import { createCipheriv } from 'node:crypto';
import { zipLike } from '../zip-like.ts';

/** A prime: what is put in a wrong place by any round number of bytes shows. */
const NOISE_BYTES = 16_777_213;

let noise: Buffer | undefined;

function noiseBytes(): Buffer {
  noise ??= createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(Buffer.alloc(NOISE_BYTES));
  return noise;
}

/**
 * The bytes from `first` to `last` (included) of a body of `total` bytes that begins and ends as a ZIP does and lies
 * nowhere: the same every time, noise that repeats itself in between, in pieces of any size.
 */
export function* generatedBytes(first: number, last: number, total: number): Generator<Buffer, void, undefined> {
  const ends = zipLike(26);
  const [head, tail] = [ends.subarray(0, 4), ends.subarray(4)];
  for (let at = first; at <= last; ) {
    const piece =
      at < head.length
        ? head.subarray(at)
        : at >= total - tail.length
          ? tail.subarray(at - (total - tail.length))
          : noiseBytes().subarray(at % NOISE_BYTES, (at % NOISE_BYTES) + total - tail.length - at);
    const fitting = piece.subarray(0, last + 1 - at);
    yield fitting;
    at += fitting.length;
  }
}
