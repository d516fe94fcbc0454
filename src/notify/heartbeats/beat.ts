import { SECOND_MS } from '../../lib/clock.ts';
import { withTimeout } from '../../lib/signals.ts';
import { TIMEOUT_MS, whyUnreachable } from '../http.ts';
import { DeliveryError } from '../service.ts';

/** What a machine that watches over the service is told. Texts are for people and hold no secret. */
export type Beat =
  /** The service lives, and so do its mailboxes. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'down'; readonly reason: string }
  /** The work on a capture begins; `run` (a UUID) is the same in all that is told of it. */
  | { readonly kind: 'begun'; readonly run: string }
  /** Something worth knowing on the way; neither success nor failure. */
  | { readonly kind: 'noted'; readonly run: string; readonly text: string }
  | { readonly kind: 'done'; readonly run: string; readonly text: string }
  | { readonly kind: 'failed'; readonly run: string; readonly reason: string };

/** One request. */
export interface BeatRequest {
  readonly method: 'POST' | 'GET';
  readonly url: string;
  readonly body?: string;
}

/** As much of `fetch` as is needed. */
export type BeatFetch = (
  url: string,
  init: {
    readonly method: BeatRequest['method'];
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly redirect: 'manual';
    readonly signal: AbortSignal;
  },
) => Promise<{ readonly status: number; readonly body: { cancel(): Promise<void> } | null }>;

/** A kind of service that takes heartbeats; one file each. */
export interface HeartbeatKind {
  readonly name: string;
  /** Whether a web address is one of this service. */
  recognizes(url: URL): boolean;
  /** What it is to be told, as a request; undefined for what it has no use for. */
  requestFor(url: URL, beat: Beat): BeatRequest | undefined;
}

/** Where heartbeats are sent. */
export interface HeartbeatAddress {
  /** For logs and people: `Uptime Kuma at status.example.org`. Holds no secret. */
  readonly label: string;
  /**
   * Sends a beat, once, within 10 seconds.
   * @throws DeliveryError that holds no secret; the signal's reason on abort
   */
  send(beat: Beat, options: { readonly signal: AbortSignal; readonly fetch?: BeatFetch }): Promise<void>;
}

/** The address `url` of a service of this kind. */
export function heartbeatAddress(kind: HeartbeatKind, url: URL): HeartbeatAddress {
  const label = `${kind.name} at ${url.host}`;
  return {
    label,
    async send(beat, { signal, fetch }) {
      const request = kind.requestFor(url, beat);
      if (request === undefined) return;
      const status = await statusOf(label, request, fetch ?? (await import('undici')).fetch, signal);
      if (status < 200 || status > 299)
        throw new DeliveryError(`${label} answered with status ${status}${hint(status)}`);
    },
  };
}

async function statusOf(label: string, { method, url, body }: BeatRequest, fetch: BeatFetch, parent: AbortSignal) {
  try {
    return await withTimeout(label, TIMEOUT_MS, parent, async (signal) => {
      const answer = await fetch(url, {
        method,
        headers: {
          'user-agent': 'Chatkeep',
          ...(body === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' }),
        },
        ...(body === undefined ? {} : { body }),
        redirect: 'manual',
        signal,
      });
      await answer.body?.cancel();
      return answer.status;
    });
  } catch (error) {
    parent.throwIfAborted();
    throw new DeliveryError(`${label} ${whyUnreachable(error)}`);
  }
}

function hint(status: number): string {
  if (status === 404 || status === 410) return ': it does not know this address (any more); check every part of it';
  if (status >= 300 && status <= 399)
    return ': it redirects, and redirects are not followed; put the final address in the configuration';
  return '';
}

/** Between the attempts to send one beat, ms: three attempts, as the services' own clients make. */
export const RETRY_PAUSES_MS = [2 * SECOND_MS, 10 * SECOND_MS] as const;
