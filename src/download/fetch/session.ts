import type { Clock } from '../../lib/clock.ts';
import type { Secret } from '../../lib/secret.ts';
import { type DownloadPlace, placeOf } from '../address-guard.ts';
import type { Login, LoginAnswer } from '../logins/index.ts';
import { type HttpResponse, networkTrouble, type Transport } from '../transport.ts';

/** How one request ended. Every `detail` is a sentence for people, without secrets. */
export type Attempt =
  /** What was asked for has come. */
  | { readonly kind: 'served' }
  /** It did not, or not all of it. */
  | { readonly kind: 'cut'; readonly detail: string; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'login'; readonly detail: string }
  /** It was not made: the link has died. */
  | { readonly kind: 'too-late' }
  | { readonly kind: 'redirected'; readonly to: URL };

/** How one request ended, its redirects followed and its logins tried. */
export type Ending = Exclude<Attempt, { kind: 'redirected' }>;

/** One answer that is being taken in. */
export interface Exchange {
  readonly response: HttpResponse;
  readonly address: URL;
  /** Ends the request and nothing else. */
  readonly cut: AbortController;
  /** Whether it came over the network of a login (a browser's). */
  readonly overLogin: boolean;
}

/** What is asked of the server. */
export interface Question {
  /** Beside those of the login; asked for anew for each request. */
  headers(): Readonly<Record<string, string>>;
  /** Takes an answer in: the only one who looks at it. */
  takeIn(exchange: Exchange): Promise<Attempt>;
  readonly signal: AbortSignal;
}

export interface SessionOptions {
  readonly link: Secret;
  /** No request is made from then on, ms UTC. */
  readonly deadline: number;
  readonly transport: Transport;
  readonly places: readonly DownloadPlace[];
  readonly logins: readonly Login[];
  readonly clock: Clock;
}

type WayIn = Extract<LoginAnswer, { kind: 'headers' }>;

const NO_LOGIN: WayIn = { kind: 'headers', headers: {} };
const MOST_REDIRECTS = 5;

/** The server, as a link leads to it: behind logins and redirects, within its places, before the deadline. */
export class Session {
  readonly #options: SessionOptions;
  readonly #address: URL | null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#address = URL.parse(options.link.reveal());
  }

  /** How messages call the server. */
  get host(): string {
    return this.#address?.host ?? 'the server';
  }

  /**
   * One request, as the place that the link leads to wants it.
   * @throws the signal's reason when it aborts, and what `takeIn` throws
   */
  async ask(question: Question): Promise<Ending> {
    const { places, logins } = this.#options;
    const address = this.#address;
    if (address === null) return { kind: 'cut', detail: 'The link is not an address.' };
    const place = placeOf(address, places);
    if (place === undefined) {
      return { kind: 'cut', detail: `The link leads to ${address.host}, which is not a place that exports come from.` };
    }
    if (place.login && logins.length > 0) return this.#withLogins(question, address);
    const ending = await this.#followed(question, address, NO_LOGIN);
    if (ending.kind !== 'login') return ending;
    return place.login
      ? { kind: 'login', detail: `${ending.detail} No login is configured.` }
      : { kind: 'cut', detail: ending.detail };
  }

  /**
   * One request with each login in turn, and each of its ways in, until one is let in. Where the network kept a way from
   * being tried, nothing is known of the logins: no reason to send for a person.
   */
  async #withLogins(question: Question, address: URL): Promise<Ending> {
    const { logins, clock } = this.#options;
    const denials: string[] = [];
    let undecided = false;
    for (const login of logins) {
      for await (const way of login.waysIn(address, { now: clock.now(), signal: question.signal })) {
        if (way.kind !== 'headers') {
          denials.push(way.detail);
          undecided ||= way.kind === 'undecided';
          continue;
        }
        const ending = await this.#followed(question, address, way);
        if (ending.kind !== 'login') return ending;
        denials.push(`With ${login.label}: ${ending.detail}`);
      }
    }
    return { kind: undecided ? 'cut' : 'login', detail: denials.join(' ') };
  }

  /** One request, with its redirects. A login goes to the origin it was made for and to no other. */
  async #followed(question: Question, first: URL, login: WayIn): Promise<Ending> {
    let address = first;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
      const attempt = await this.#once(question, address, address.origin === first.origin ? login : NO_LOGIN);
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

  async #once({ headers, takeIn, signal }: Question, address: URL, login: WayIn): Promise<Attempt> {
    const { clock, deadline } = this.#options;
    const transport = login.transport ?? this.#options.transport;
    if (clock.now() >= deadline) return { kind: 'too-late' };
    const cut = new AbortController();
    let response: HttpResponse;
    try {
      response = await transport.send({
        address,
        headers: { ...headers(), ...login.headers },
        signal: AbortSignal.any([signal, cut.signal]),
      });
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'cut', detail: networkTrouble(error, address.host) };
    }
    try {
      return await takeIn({ response, address, cut, overLogin: login.transport !== undefined });
    } finally {
      response.discard();
    }
  }
}

/** A redirect to a page of the same host or of OpenAI means "sign in first". */
function isSignInHost(to: URL, from: URL): boolean {
  return to.host === from.host || /(^|\.)(openai|chatgpt)\.com$/.test(to.hostname);
}
