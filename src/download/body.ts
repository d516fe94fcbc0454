import { finished, type Readable } from 'node:stream';

/** What may wait to be taken, before the server is made to wait. */
const WAITING_BYTES = 256 * 1024;

/**
 * The bytes of a stream, those included that were waiting when it broke off: iterating over the stream itself would
 * throw these away, and a server that breaks off early would never be got the better of.
 *
 * @throws on iteration, after the last byte that arrived: the stream's error
 */
export function everyByteOf(stream: Readable): AsyncIterable<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let end: { readonly error: unknown } | undefined;
  let wake = () => {};
  stream.on('data', (chunk: Uint8Array) => {
    waiting.push(chunk);
    waitingBytes += chunk.byteLength;
    if (waitingBytes >= WAITING_BYTES) stream.pause();
    wake();
  });
  finished(stream, (error) => {
    end = { error };
    wake();
  });

  return (async function* () {
    for (;;) {
      for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
        waitingBytes -= chunk.byteLength;
        yield chunk;
      }
      if (end?.error) throw end.error;
      if (end !== undefined) return;
      stream.resume();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  })();
}
