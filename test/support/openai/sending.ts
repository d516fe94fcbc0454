import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, ArchiveContent } from './answer.ts';
import { Pacer } from './pacing.ts';

/** The way to one client. */
export interface Line {
  readonly response: ServerResponse;
  /** The width that all share. */
  readonly pacer: Pacer | undefined;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  /** Ends the connection with RST. */
  reset(): void;
  /** Told of body bytes as they are handed to the connection. */
  sent(bytes: number): void;
}

/**
 * A reset throws away what the client's system has received and the client not yet read: a moment to read it makes
 * "after N bytes" come true.
 */
const BEFORE_RESET_MS = 50;
const FLUSH_POLL_MS = 2;

/** Sends an answer. It resolves when the last byte is handed over; rejects with an AbortError when the client leaves. */
export async function send(answer: Answer, method: string, line: Line): Promise<void> {
  const { response } = line;
  response.writeHead(answer.status, answer.headers);
  if (method === 'HEAD') {
    response.end();
  } else if (answer.content.kind === 'text') {
    response.end(answer.content.text);
    line.sent(Buffer.byteLength(answer.content.text));
  } else {
    response.flushHeaders();
    await sendArchive(answer.content, line);
  }
}

async function sendArchive(content: ArchiveContent, line: Line): Promise<void> {
  const { body, first, delivery } = content;
  const pacers = [line.pacer, delivery.bytesPerSecond === undefined ? undefined : new Pacer(delivery.bytesPerSecond)];
  const paced = pacers.filter((pacer) => pacer !== undefined);
  const pieceBytes = paced.length === 0 ? undefined : Math.min(...paced.map((pacer) => pacer.pieceBytes));
  const last = Math.min(content.last, first + delivery.mostBytes - 1);
  let position = first;
  for await (const piece of body.read(first, last, pieceBytes)) {
    await Promise.all(paced.map((pacer) => pacer.pass(piece.length, line.gone)));
    await write(corrupted(piece, position, delivery.corruptAt), line);
    position += piece.length;
  }
  await end(delivery.end, line);
}

async function write(piece: Buffer, { response, gone, sent }: Line): Promise<void> {
  gone.throwIfAborted();
  const roomForMore = response.write(piece);
  sent(piece.length);
  if (!roomForMore) await once(response, 'drain', { signal: gone });
}

function corrupted(piece: Buffer, position: number, corruptAt: number | undefined): Buffer {
  if (corruptAt === undefined || corruptAt < position || corruptAt >= position + piece.length) return piece;
  const copy = Buffer.from(piece);
  copy.writeUInt8(copy.readUInt8(corruptAt - position) ^ 0xff, corruptAt - position);
  return copy;
}

async function end(how: 'finish' | 'close' | 'reset' | 'stall', line: Line): Promise<void> {
  const { response, gone } = line;
  switch (how) {
    case 'finish':
      response.end();
      return;
    case 'close':
      response.socket?.end();
      return;
    case 'reset':
      while ((response.socket?.writableLength ?? 0) > 0) await delay(FLUSH_POLL_MS, undefined, { signal: gone });
      await delay(BEFORE_RESET_MS, undefined, { signal: gone });
      line.reset();
      return;
    case 'stall':
      return;
  }
}
