import { z } from 'zod';

/** What names resolve to: IP addresses of either kind. */
export type Names = Readonly<Record<string, readonly string[]>>;

/** One errand inside the walls. */
export interface Errand {
  /**
   * `download`: the downloader is given the link. `send`: the transport is, as if nothing had judged it. `notice`: an
   * email with the link in it reaches a whole Chatkeep that trusts its sender.
   */
  readonly by: 'download' | 'send' | 'notice';
  readonly link: string;
  /** Beside the honest ones. */
  readonly names?: Names;
  /** What names resolve to at the first question only. */
  readonly namesAtFirst?: Names;
  /** Where the honest server sends its visitors, one request after the other; then it serves what is asked for. */
  readonly redirects?: readonly string[];
  /** What names resolve to once the honest server was visited. */
  readonly namesAfterVisit?: Names;
  readonly extraOrigins?: readonly string[];
}

/** What came of it. */
export const reportSchema = z.object({
  /** The outcome's kind; for `notice`: `ready`, `refused` or `undecided`. */
  outcome: z.string(),
  detail: z.string(),
  /** What was asked of the honest server: host and path, and `+ login` where one came along. */
  asked: z.array(z.string()),
  /** Every TCP connection to anybody else: address and port. */
  contacts: z.array(z.string()),
  /** How many connections the kernel was asked to open, to anybody. */
  dials: z.number(),
});

export type Report = z.output<typeof reportSchema>;

/** The hosts that are what they should be, and where they are. */
export const HONEST: Names = {
  'chatgpt.com': ['104.18.32.47'],
  'proddatamgmtqueue.blob.core.windows.net': ['20.60.132.4'],
  'u20216706.ct.sendgrid.net': ['167.89.118.35'],
};
