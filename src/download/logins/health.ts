import { DAY_MS } from '../../lib/clock.ts';

/**
 * What a check of a login has found. `until`: when it ends, ms UTC, where that is known; `account`: the e-mail address of
 * the account, where the server has told it; `detail`: a sentence for people, without secrets.
 */
export type LoginHealth =
  | { readonly kind: 'good'; readonly until: number | undefined; readonly account: string | undefined }
  /** Good, and about to end. */
  | { readonly kind: 'dying'; readonly until: number; readonly account: string | undefined }
  | { readonly kind: 'dead'; readonly detail: string }
  /** It could not be found out: the network is down, or a page for browsers came. It may well be good. */
  | { readonly kind: 'unknown'; readonly detail: string };

/** How long a login will live, as far as that can be read from it. Times in ms UTC. */
export interface Lifetime {
  readonly until: number | undefined;
  /** When that life began. */
  readonly since?: number | undefined;
}

/** Enough for a long weekend away. */
const NOTICE_MS = 3 * DAY_MS;

/** Whether a login that lives that long has come to its last days. One that lives for hours has them as its last third. */
function isDying({ until, since }: Lifetime, now: number): boolean {
  if (until === undefined) return false;
  const notice = since === undefined ? NOTICE_MS : Math.min(NOTICE_MS, Math.max(0, until - since) / 3);
  return until - now < notice;
}

/** What is found of a login that was let in. */
export function letIn(lifetime: Lifetime, account: string | undefined, now: number): LoginHealth {
  const { until } = lifetime;
  return until !== undefined && isDying(lifetime, now)
    ? { kind: 'dying', until, account }
    : { kind: 'good', until, account };
}

/** What is found of a login when nobody could be asked: that it is about to end is seen all the same. */
export function notAsked(lifetime: Lifetime, detail: string, now: number): LoginHealth {
  const { until } = lifetime;
  return until !== undefined && isDying(lifetime, now)
    ? { kind: 'dying', until, account: undefined }
    : { kind: 'unknown', detail };
}
