import type { Answer, ExportRequest } from './answer.ts';
import type { PublishedExport } from './published-export.ts';
import type { RequestedRange } from './range.ts';

/** The errors with which both services answer for a known export. */
export type StoreError = 412 | 416 | 429 | 503;

/** What the two services that have handed out exports do each in their own way. */
export interface Storefront {
  /** The answer to a link that was not signed so, or that names no export. */
  unknown(now: number): Answer;
  /** Why this request is not served although its link is good; undefined if it is. */
  refusal(request: ExportRequest, published: PublishedExport, now: number): Answer | undefined;
  /** What the service says of an archive beside the common headers. */
  archiveHeaders(published: PublishedExport, range: RequestedRange): Promise<Readonly<Record<string, string>>>;
  error(status: StoreError, headers: Readonly<Record<string, string>>): Answer;
}
