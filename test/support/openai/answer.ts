import type { IncomingHttpHeaders } from 'node:http';
import type { ReadableBody } from './body.ts';

/** A request, as far as an answer depends on it. */
export interface ExportRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** What is sent back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Content;
}

/** An answer's body. */
export type Content = { readonly kind: 'text'; readonly text: string } | ArchiveContent;

/** A stretch of an archive, and how it goes out. */
export interface ArchiveContent {
  readonly kind: 'archive';
  readonly body: ReadableBody;
  readonly first: number;
  /** Included. */
  readonly last: number;
  readonly delivery: Delivery;
}

/** How a stretch of an archive goes out. */
export interface Delivery {
  /** Body bytes after which the answer ends, if it is not done before. */
  readonly mostBytes: number;
  /**
   * What happens then: the answer is finished as it should be, the connection is closed in order (FIN) or reset (RST),
   * or nothing more comes.
   */
  readonly end: 'finish' | 'close' | 'reset' | 'stall';
  /** Slower than the line allows. */
  readonly bytesPerSecond?: number;
  /** The position in the archive of a byte that comes out wrong. */
  readonly corruptAt?: number;
}

/** What a text answer is. */
export type TextType = 'json' | 'html' | 'xml';

const CONTENT_TYPE = {
  json: 'application/json',
  html: 'text/html; charset=utf-8',
  xml: 'application/xml',
} as const satisfies Record<TextType, string>;

/** An answer with a text for a body. */
export function textAnswer(
  status: number,
  type: TextType,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': CONTENT_TYPE[type], 'content-length': String(Buffer.byteLength(text)), ...headers },
    content: { kind: 'text', text },
  };
}

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Readonly<Record<string, string>>): Answer {
  return { status, headers, content: { kind: 'text', text: '' } };
}
