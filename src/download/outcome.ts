/** How one call of the downloader ended. Every `detail` is a sentence for people, without secrets. */
export type DownloadOutcome =
  /** The whole archive is at `path`, synced to disk. */
  | { readonly kind: 'whole'; readonly path: string; readonly bytes: number }
  /** The server wants a signed-in user, and no configured login will do. */
  | { readonly kind: 'needs-login'; readonly detail: string }
  /** The link has died. */
  | { readonly kind: 'expired'; readonly detail: string }
  /** Cut off, refused for now, or unreachable; what has arrived is kept and the next call goes on from there. */
  | {
      readonly kind: 'interrupted';
      readonly detail: string;
      /** Whether enough bytes arrived, and are kept, that the next call is worth making soon. */
      readonly progressed: boolean;
      readonly retryAfterMs?: number;
    };

/** How far a download is. `total` is unknown until the server has told it. */
export interface DownloadProgress {
  readonly received: number;
  readonly total: number | undefined;
}
