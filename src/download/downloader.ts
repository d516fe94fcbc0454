import { join } from 'node:path';
import { type Clock, SECOND_MS } from '../lib/clock.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { sizeOf } from '../lib/files.ts';
import type { Logger } from '../lib/logger.ts';
import type { Secret } from '../lib/secret.ts';
import { assertRoom } from '../lib/space.ts';
import { formatBytes } from '../lib/text.ts';
import { type DownloadPlace, placeOf } from './address-guard.ts';
import { type Login, type LoginAnswer, loginsFingerprint } from './logins/index.ts';
import type { DownloadOutcome, DownloadProgress } from './outcome.ts';
import { type BodyIdentity, PartFile } from './part-file.ts';
import { readHead } from './response.ts';
import { type HttpResponse, networkTrouble, type Transport } from './transport.ts';
import { hasZipEnd, startsLikeZip, ZIP_END_BYTES } from './zip-marks.ts';

export interface DownloadRequest {
  readonly link: Secret;
  readonly exportId: string;
  /** The link's end, ms UTC: no request is made from then on. */
  readonly deadline: number;
  /** The archive's final path is `<directory>/<name>.zip`. */
  readonly directory: string;
  readonly name: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

export interface DownloaderOptions {
  readonly transport: Transport;
  readonly places: readonly DownloadPlace[];
  /** Tried in this order. */
  readonly logins: readonly Login[];
  /** A body that brings no byte for this long is cut. */
  readonly stallMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MOST_REDIRECTS = 5;
/** A cut that came after some bytes is resumed at once, but never in a hot loop. */
const RESUME_PAUSE_MS = SECOND_MS / 4;

/** How one request ended. */
type Attempt =
  | { readonly kind: 'complete' }
  | { readonly kind: 'cut'; readonly detail: string; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'login'; readonly detail: string }
  /** It was not made: the link has died. */
  | { readonly kind: 'too-late' }
  | { readonly kind: 'redirected'; readonly to: URL };

/** How one request ended, its redirects followed. */
type Ending = Exclude<Attempt, { kind: 'redirected' }>;

/** One answer that is being taken in. */
interface Exchange {
  readonly request: DownloadRequest;
  readonly part: PartFile;
  readonly response: HttpResponse;
  readonly address: URL;
  /** Ends the request and nothing else. */
  readonly cut: AbortController;
}

type WayIn = Extract<LoginAnswer, { kind: 'headers' }>;

const NO_LOGIN: WayIn = { kind: 'headers', headers: {} };

/** A body of which nothing is known. */
const UNKNOWN: BodyIdentity = { etag: undefined, total: undefined, md5: undefined };

/** Fetches exports: behind a login, in pieces, before the deadline. */
export class Downloader {
  readonly #options: DownloaderOptions;

  constructor(options: DownloaderOptions) {
    this.#options = options;
  }

  /**
   * Brings the archive to disk, going on from what an earlier call has left, and resuming for as long as each request
   * brings something.
   *
   * @throws ChatkeepError `storage` if it cannot be written; the signal's reason when it aborts (what arrived is kept)
   */
  async download(request: DownloadRequest): Promise<DownloadOutcome> {
    const target = join(request.directory, `${request.name}.zip`);
    const bytes = await sizeOf(target);
    if (bytes !== undefined) return { kind: 'whole', path: target, bytes };
    const part = await PartFile.open(target, request.exportId);
    try {
      return await this.#untilNothingComes(request, part, target);
    } finally {
      await part.close();
    }
  }

  /** Changes when a configured login has changed. */
  loginsFingerprint(): Promise<string> {
    return loginsFingerprint(this.#options.logins);
  }

  async #untilNothingComes(request: DownloadRequest, part: PartFile, target: string): Promise<DownloadOutcome> {
    const { clock, logger } = this.#options;
    const before = part.received;
    if (before > 0) logger.info({ received: before }, `going on with the download from ${formatBytes(before)}`);
    for (;;) {
      const had = part.received;
      const attempt = await this.#attempt(request, part);
      if (attempt.kind === 'complete') {
        await part.finish();
        return { kind: 'whole', path: target, bytes: part.received };
      }
      if (attempt.kind === 'too-late') return { kind: 'expired', detail: 'The link has died.' };
      if (attempt.kind === 'login') {
        // Denied before the deadline is for want of a login, after it because the link is dead: only the clock tells.
        return clock.now() >= request.deadline
          ? { kind: 'expired', detail: attempt.detail }
          : { kind: 'needs-login', detail: attempt.detail };
      }
      if (part.received <= had) {
        return {
          kind: 'interrupted',
          detail: attempt.detail,
          progressed: part.received > before,
          ...(attempt.retryAfterMs === undefined ? {} : { retryAfterMs: attempt.retryAfterMs }),
        };
      }
      logger.info({ received: part.received, total: part.identity.total }, `${attempt.detail} Going on from there.`);
      await part.flush();
      await clock.sleep(RESUME_PAUSE_MS, request.signal);
    }
  }

  /** One request, as the place that the link leads to wants it. */
  async #attempt(request: DownloadRequest, part: PartFile): Promise<Ending> {
    const address = URL.parse(request.link.reveal());
    if (address === null) return { kind: 'cut', detail: 'The link is not an address.' };
    // The process was killed between the last byte and the end: what is here needs no link that is still alive.
    if (part.received > 0 && part.received === part.identity.total) return this.#judgeWhole(part, address.host);
    const place = placeOf(address, this.#options.places);
    if (place === undefined) {
      return { kind: 'cut', detail: `The link leads to ${address.host}, which is not a place that exports come from.` };
    }
    if (place.login && this.#options.logins.length > 0) return this.#withLogins(request, part, address);
    const ending = await this.#followed(request, part, address, NO_LOGIN);
    if (ending.kind !== 'login') return ending;
    return place.login
      ? { kind: 'login', detail: `${ending.detail} No login is configured.` }
      : { kind: 'cut', detail: ending.detail };
  }

  /** One request with each login in turn, and each of its ways in, until one is let in. */
  async #withLogins(request: DownloadRequest, part: PartFile, address: URL): Promise<Ending> {
    const { logins, clock } = this.#options;
    const denials: string[] = [];
    for (const login of logins) {
      for await (const way of login.waysIn(address, { now: clock.now(), signal: request.signal })) {
        if (way.kind === 'unusable') {
          denials.push(way.detail);
          continue;
        }
        const ending = await this.#followed(request, part, address, way);
        if (ending.kind !== 'login') return ending;
        denials.push(`With ${login.label}: ${ending.detail}`);
      }
    }
    return { kind: 'login', detail: denials.join(' ') };
  }

  /** One request, with its redirects. A login goes to the origin it was made for and to no other. */
  async #followed(request: DownloadRequest, part: PartFile, first: URL, login: WayIn): Promise<Ending> {
    let address = first;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
      const attempt = await this.#requestOnce(
        request,
        part,
        address,
        address.origin === first.origin ? login : NO_LOGIN,
      );
      if (attempt.kind !== 'redirected') return attempt;
      if (placeOf(attempt.to, this.#options.places) === undefined) {
        return isSignInHost(attempt.to, first)
          ? { kind: 'login', detail: `The server sent us to a sign-in page (${attempt.to.host}).` }
          : {
              kind: 'cut',
              detail: `The server redirects to ${attempt.to.host}, which is not a place that exports come from; it was not followed.`,
            };
      }
      address = attempt.to;
    }
    return { kind: 'cut', detail: `${first.host} redirects in a circle.` };
  }

  async #requestOnce(request: DownloadRequest, part: PartFile, address: URL, login: WayIn): Promise<Attempt> {
    const { clock } = this.#options;
    const transport = login.transport ?? this.#options.transport;
    if (clock.now() >= request.deadline) return { kind: 'too-late' };
    const cut = new AbortController();
    const signal = AbortSignal.any([request.signal, cut.signal]);
    let response: HttpResponse;
    try {
      response = await transport.send({ address, headers: { ...requestHeaders(part), ...login.headers }, signal });
    } catch (error) {
      request.signal.throwIfAborted();
      return { kind: 'cut', detail: networkTrouble(error, address.host) };
    }
    try {
      return await this.#takeIn({ request, part, response, address, cut });
    } finally {
      response.discard();
    }
  }

  async #takeIn(exchange: Exchange): Promise<Attempt> {
    const { part, response, address } = exchange;
    const head = readHead(response, part, this.#options.clock.now());
    switch (head.kind) {
      case 'redirect':
        return redirection(head.location, address);
      case 'login-page':
      case 'denied':
        return { kind: 'login', detail: head.detail };
      case 'try-later':
        return { kind: 'cut', detail: head.detail, retryAfterMs: head.retryAfterMs };
      case 'nothing-left':
        await part.learn({ ...part.identity, total: head.total });
        return this.#judgeWhole(part, address.host);
      case 'start-over':
        await part.restart(UNKNOWN);
        return { kind: 'cut', detail: `${head.detail} The download begins anew.`, retryAfterMs: RESUME_PAUSE_MS };
      case 'whole-body':
        // What has arrived makes room for it.
        await assertRoom(exchange.request.directory, (head.identity.total ?? 0) - part.received, 'state directory');
        return this.#receive(exchange, head.identity);
      case 'rest':
        await part.learn(head.identity);
        await assertRoom(exchange.request.directory, (head.identity.total ?? 0) - part.received, 'state directory');
        return this.#receive(exchange, undefined);
    }
  }

  /** Takes the rest of the body in, or the whole of `another` in its place, under the watchdog. */
  async #receive(exchange: Exchange, another: BodyIdentity | undefined): Promise<Attempt> {
    const { request, part, response, address, cut } = exchange;
    const { clock, stallMs } = this.#options;
    let replacement = another;
    const watch = { lastByteAt: clock.now() };
    const ended = new AbortController();
    const watchdog = cutWhenStalled(watch, stallMs, clock, cut, ended.signal);
    let trouble: string | undefined;
    try {
      for await (const chunk of response.body) {
        watch.lastByteAt = clock.now();
        if (chunk.byteLength === 0) continue;
        if (replacement !== undefined) {
          // What has arrived is given up for the beginning of an export only, not for an error page.
          if (!startsLikeZip(chunk)) return notAZip(chunk);
          await part.restart(replacement);
          replacement = undefined;
        }
        const { total } = part.identity;
        if (total !== undefined && part.received + chunk.byteLength > total) {
          await part.restart(UNKNOWN);
          return { kind: 'cut', detail: `${address.host} sent more than it had announced. The download begins anew.` };
        }
        await part.append(chunk);
        request.onProgress?.({ received: part.received, total });
      }
    } catch (error) {
      if (error instanceof ChatkeepError) throw error;
      request.signal.throwIfAborted();
      trouble = cut.signal.aborted
        ? `${address.host} sent nothing for ${stallMs / SECOND_MS} s.`
        : networkTrouble(error, address.host);
    } finally {
      ended.abort();
      await watchdog;
    }
    if (replacement !== undefined) return { kind: 'cut', detail: trouble ?? `${address.host} sent an empty answer.` };
    if (trouble === undefined || part.received === part.identity.total) return this.#judgeWhole(part, address.host);
    return { kind: 'cut', detail: `${trouble} ${progressSentence(part)}` };
  }

  /** The server says that this was all. Whether it was is seen from the length, the checksum and the ZIP's own end. */
  async #judgeWhole(part: PartFile, host: string): Promise<Ending> {
    const { total, md5 } = part.identity;
    if (total !== undefined && part.received < total) {
      return { kind: 'cut', detail: `${host} ended the download early, without an error. ${progressSentence(part)}` };
    }
    // Without a length, a body that was cut looks like one that ended.
    if (total === undefined && !hasZipEnd(await part.tail(ZIP_END_BYTES))) {
      return { kind: 'cut', detail: `${host} ended the download before the end of the ZIP. ${progressSentence(part)}` };
    }
    if (md5 !== undefined && md5 !== (await part.md5())) {
      await part.restart(UNKNOWN);
      return { kind: 'cut', detail: 'What arrived does not fit its checksum (Content-MD5). The download begins anew.' };
    }
    return { kind: 'complete' };
  }
}

function requestHeaders(part: PartFile): Record<string, string> {
  const headers = { accept: 'application/zip, application/octet-stream, */*;q=0.1', 'accept-encoding': 'identity' };
  const { etag } = part.identity;
  if (part.received === 0 || etag === undefined) return headers;
  return { ...headers, range: `bytes=${part.received}-`, 'if-range': etag };
}

function redirection(location: string | undefined, from: URL): Attempt {
  if (location === undefined || !URL.canParse(location, from.href)) {
    return { kind: 'cut', detail: `${from.host} redirects to nowhere.` };
  }
  return { kind: 'redirected', to: new URL(location, from) };
}

/** A redirect to a page of the same host or of OpenAI means "sign in first". */
function isSignInHost(to: URL, from: URL): boolean {
  return to.host === from.host || /(^|\.)(openai|chatgpt)\.com$/.test(to.hostname);
}

function notAZip(chunk: Uint8Array): Attempt {
  const beginning = Buffer.from(chunk.subarray(0, 512)).toString().trimStart().toLowerCase();
  return beginning.startsWith('<!doctype html') || beginning.startsWith('<html')
    ? { kind: 'login', detail: 'A web page came instead of the export.' }
    : { kind: 'cut', detail: 'Something else than a ZIP came.' };
}

function progressSentence(part: PartFile): string {
  const { total } = part.identity;
  return total === undefined
    ? `${formatBytes(part.received)} have arrived.`
    : `${formatBytes(part.received)} of ${formatBytes(total)} have arrived.`;
}

/** Cuts the request when no byte has come for `stallMs`; ends when `ended` aborts. */
async function cutWhenStalled(
  watch: { readonly lastByteAt: number },
  stallMs: number,
  clock: Clock,
  cut: AbortController,
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    const silentFor = clock.now() - watch.lastByteAt;
    if (silentFor >= stallMs) return cut.abort(new Error('stalled'));
    try {
      await clock.sleep(stallMs - silentFor, ended);
    } catch {
      return;
    }
  }
}
