import type { HttpRequest, HttpResponse, Transport } from '../../src/download/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** How a body is given out. Bytes are counted from the answer's first. */
export interface Serving {
  readonly kind: 'serve';
  readonly chunkBytes: number;
  /** Virtual time before each chunk. */
  readonly pauseMs: number;
  readonly framing: 'length' | 'chunked';
  readonly etag: 'strong' | 'weak' | 'none';
  /** Whether a Range is honoured (and Accept-Ranges says so); else the whole body comes with status 200. */
  readonly ranges: boolean;
  /** After how many bytes something happens before the end, and what: an end without or with an error, or silence. */
  readonly cut?: { readonly afterBytes: number; readonly how: 'quietly' | 'reset' | 'stall' };
  /** Added to Content-Length and to the total of Content-Range. */
  readonly lengthOff?: number;
  /** Added to the positions in Content-Range. */
  readonly rangeOff?: number;
}

/** What one request meets. */
export type FakeAnswer =
  | Serving
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly text: string;
    }
  /** The request itself fails with this code. */
  | { readonly kind: 'fail'; readonly code: string };

/** A request as it was made, at what moment (ms UTC), and how many bytes of a body it was given. */
export interface FakeRequest {
  readonly at: number;
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  bytes: number;
}

/** What follows when nothing goes wrong. */
export const HONEST: Serving = {
  kind: 'serve',
  chunkBytes: 1000,
  pauseMs: 1,
  framing: 'length',
  etag: 'strong',
  ranges: true,
};

/** A network in virtual time: the body lies in memory, and each request meets the next of the answers. */
export class FakeTransport implements Transport {
  readonly requests: FakeRequest[] = [];
  /** Virtual time before each answer. */
  latencyMs = 0;
  /** Called before each request is answered, with how many there were before. */
  onRequest: (before: number) => void = () => {};
  readonly #clock: VirtualClock;
  readonly #answers: FakeAnswer[];
  #body: Buffer;
  #revision = 1;

  /** When `answers` are used up, what follows is {@link HONEST}. */
  constructor(clock: VirtualClock, body: Buffer, answers: readonly FakeAnswer[] = []) {
    this.#clock = clock;
    this.#body = body;
    this.#answers = [...answers];
  }

  /** The body as it stands now. */
  get body(): Buffer {
    return this.#body;
  }

  /** From now on there is another body, under another entity tag. */
  change(body: Buffer): void {
    this.#body = body;
    this.#revision += 1;
  }

  async send({ address, headers, signal }: HttpRequest): Promise<HttpResponse> {
    signal.throwIfAborted();
    const request: FakeRequest = { at: this.#clock.now(), address: address.href, headers, bytes: 0 };
    this.onRequest(this.requests.length);
    this.requests.push(request);
    const answer = this.#answers.shift() ?? HONEST;
    if (this.latencyMs > 0) await this.#clock.sleep(this.latencyMs, signal);
    switch (answer.kind) {
      case 'fail':
        throw Object.assign(new Error('the network fails'), { code: answer.code });
      case 'answer':
        return {
          status: answer.status,
          headers: answer.headers,
          body: textBody(answer.text),
          discard: () => {},
        };
      case 'serve':
        return this.#serve(answer, request, signal);
    }
  }

  async close(): Promise<void> {}

  #serve(serving: Serving, request: FakeRequest, signal: AbortSignal): HttpResponse {
    const etag = `"revision-${this.#revision}"`;
    const whole = this.#body;
    const asked = serving.ranges ? rangeOf(request.headers, etag) : undefined;
    const lengthOff = serving.lengthOff ?? 0;
    const tag = serving.etag === 'none' ? {} : { etag: serving.etag === 'weak' ? `W/${etag}` : etag };
    if (asked !== undefined && asked.start >= whole.length) {
      return {
        status: 416,
        headers: { ...tag, 'content-range': `bytes */${whole.length}` },
        body: textBody(''),
        discard: () => {},
      };
    }
    const start = asked?.start ?? 0;
    const bytes = whole.subarray(start, asked?.end);
    const length = serving.framing === 'length' ? { 'content-length': String(bytes.length + lengthOff) } : {};
    const rangeOff = serving.rangeOff ?? 0;
    const range =
      asked === undefined
        ? {}
        : {
            'content-range': `bytes ${start + rangeOff}-${start + bytes.length - 1 + rangeOff}/${whole.length + rangeOff + lengthOff}`,
          };
    const acceptRanges = serving.ranges ? { 'accept-ranges': 'bytes' } : {};
    return {
      status: asked === undefined ? 200 : 206,
      headers: { 'content-type': 'application/zip', ...acceptRanges, ...tag, ...length, ...range },
      body: this.#pieces(bytes, serving, request, signal),
      discard: () => {},
    };
  }

  async *#pieces(bytes: Buffer, serving: Serving, request: FakeRequest, signal: AbortSignal) {
    const { chunkBytes, pauseMs, cut } = serving;
    const given = bytes.subarray(0, cut?.afterBytes ?? bytes.length);
    for (let at = 0; at < given.length; at += chunkBytes) {
      await this.#clock.sleep(pauseMs, signal);
      const piece = given.subarray(at, at + chunkBytes);
      request.bytes += piece.length;
      yield piece;
    }
    if (cut?.how === 'reset') throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    if (cut?.how === 'stall') await untilAborted(signal);
  }
}

/** The part that was asked for, if one was and it is of this very body (RFC 9110 section 13.1.5). */
function rangeOf(
  headers: Readonly<Record<string, string>>,
  etag: string,
): { start: number; end: number | undefined } | undefined {
  const [, start, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const fits = headers['if-range'] === undefined || headers['if-range'] === etag;
  if (start === undefined || !fits) return undefined;
  return { start: Number(start), end: last === '' ? undefined : Number(last) + 1 };
}

async function* textBody(text: string): AsyncGenerator<Buffer> {
  if (text !== '') yield Buffer.from(text);
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
