import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { type Clock, SECOND_MS } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Secret } from '../../lib/secret.ts';
import type { SignedIn, WebEnv } from '../env.ts';
import { plainPage } from '../views/plain-page.ts';
import { SignInAttempts } from './attempts.ts';
import { SAFE_METHODS } from './foreign-requests.ts';
import { type Visitor, type VisitorOptions, visitorReader } from './proxies.ts';
import { SESSION_MS, Sessions } from './sessions.ts';

export interface AccessOptions extends VisitorOptions {
  readonly password?: Secret | undefined;
  /** The file for who has signed in. */
  readonly sessionsPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The answer to a password. */
export type SignInOutcome =
  | { readonly kind: 'signed-in' }
  | { readonly kind: 'wrong' }
  /** Too many were wrong. `waitMs`: for how long no other is looked at. */
  | { readonly kind: 'too-many'; readonly waitMs: number };

/** Who may see the pages: by password, by the word of a reverse proxy, or, where neither is set, whoever gets here. */
export class Access {
  readonly #options: AccessOptions;
  readonly #sessions: Sessions | undefined;
  readonly #attempts = new SignInAttempts();
  readonly #visitorOf: (context: Context<WebEnv>) => Visitor;
  /** For those who have no session. */
  readonly #key = randomBytes(32);

  private constructor(options: AccessOptions, sessions: Sessions | undefined) {
    this.#options = options;
    this.#sessions = sessions;
    this.#visitorOf = visitorReader(options);
  }

  /** @throws ChatkeepError `storage` if the file of the sessions is a newer Chatkeep's */
  static async open(options: AccessOptions): Promise<Access> {
    const { password, sessionsPath: path, clock, logger } = options;
    return new Access(
      options,
      password === undefined ? undefined : await Sessions.open({ path, password, clock, logger }),
    );
  }

  /** Lets those through who have signed in, and shows the others where to do so. */
  required(): MiddlewareHandler<WebEnv> {
    return async (context, next) => {
      const found = this.#find(context);
      if (found === undefined) return this.#refuse(context);
      context.set('signedIn', found.signedIn);
      context.set('csrfToken', found.csrfToken);
      return next();
    };
  }

  isSignedIn(context: Context<WebEnv>): boolean {
    return this.#find(context) !== undefined;
  }

  /** Takes a password, and has the browser keep the session if it is right. */
  async signIn(context: Context<WebEnv>, password: string): Promise<SignInOutcome> {
    const { logger } = this.#options;
    const { address } = this.#visitorOf(context);
    if (this.#sessions === undefined) return { kind: 'wrong' };
    const waitMs = await this.#attempts.take(address);
    if (waitMs > 0) {
      logger.warn({ address }, 'too many wrong passwords for the web page: no other is looked at for a while');
      return { kind: 'too-many', waitMs };
    }
    if (!(await this.#sessions.isPassword(password))) {
      logger.warn({ address }, 'somebody has tried to sign in to the web page with a wrong password');
      return { kind: 'wrong' };
    }
    await this.#attempts.succeeded(address);
    this.#keepCookie(context, await this.#sessions.begin());
    logger.info({ address }, 'somebody has signed in to the web page');
    return { kind: 'signed-in' };
  }

  async signOut(context: Context<WebEnv>): Promise<void> {
    const { name, options } = this.#cookie(context);
    const token = getCookie(context, name);
    if (token !== undefined) await this.#sessions?.end(token);
    setCookie(context, name, '', { ...options, maxAge: 0 });
  }

  #find(context: Context<WebEnv>): { readonly signedIn: SignedIn; readonly csrfToken: string } | undefined {
    const { user } = this.#visitorOf(context);
    if (user !== undefined) return { signedIn: { way: 'proxy', user }, csrfToken: tokenOf(this.#key, user) };
    if (this.#sessions === undefined) {
      return this.#options.trustedHeader === undefined
        ? { signedIn: { way: 'open' }, csrfToken: tokenOf(this.#key, '') }
        : undefined;
    }
    const token = getCookie(context, this.#cookie(context).name);
    const use = token === undefined ? 'none' : this.#sessions.use(token);
    if (token === undefined || use === 'none') return undefined;
    if (use === 'noted') this.#keepCookie(context, token);
    return { signedIn: { way: 'password' }, csrfToken: tokenOf(token, '') };
  }

  #refuse(context: Context<WebEnv>): Response | Promise<Response> {
    if (this.#sessions === undefined) {
      return context.html(
        plainPage(
          'You are not signed in',
          html`<p>This page is to be opened through the reverse proxy that signs people in. If you came through it, it did not
send the header <code>${this.#options.trustedHeader}</code>, or its address is not in <code>web.proxies</code>.</p>`,
        ),
        403,
      );
    }
    const { method } = context.req;
    if (method === 'GET' && context.req.header('sec-fetch-mode') !== 'cors') {
      const { pathname, search } = new URL(context.req.url);
      const to = pathname === '/' && search === '' ? '' : `?to=${encodeURIComponent(pathname + search)}`;
      return context.redirect(`/sign-in${to}`, 303);
    }
    return context.html(
      plainPage(
        'You are not signed in',
        html`<p>Nothing has been changed. <a href="/sign-in">Sign in</a>, and try again.</p>`,
      ),
      401,
    );
  }

  #keepCookie(context: Context<WebEnv>, token: string): void {
    const { name, options } = this.#cookie(context);
    setCookie(context, name, token, { ...options, maxAge: SESSION_MS / SECOND_MS });
  }

  /** Browsers keep a `__Host-` cookie from being set by others, and take it over https alone (RFC 6265bis, section 4.1.3.2). */
  #cookie(context: Context<WebEnv>) {
    const { isSecure } = this.#visitorOf(context);
    return {
      name: isSecure ? '__Host-chatkeep' : 'chatkeep',
      // Lax: a link in a notification leads to the page, and not to the sign-in.
      options: { path: '/', httpOnly: true, sameSite: 'Lax', secure: isSecure },
    } as const;
  }
}

/** Asks of what changes something for the token of the page that it was sent from: as a field `csrf`, or as a header. */
export function csrfRequired(): MiddlewareHandler<WebEnv> {
  return async (context, next) => {
    if (SAFE_METHODS.has(context.req.method)) return next();
    const isForm = context.req.header('content-type')?.startsWith('application/x-www-form-urlencoded') === true;
    const given = context.req.header('x-csrf-token') ?? (isForm ? (await context.req.parseBody()).csrf : undefined);
    return isToken(given, context.get('csrfToken')) ? next() : refuseWithoutToken(context);
  };
}

/** Takes as long whatever is wrong. */
export function isToken(given: unknown, expected: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export function refuseWithoutToken(context: Context<WebEnv>): Response | Promise<Response> {
  return context.html(
    plainPage(
      'This page was open for too long',
      html`<p>Nothing has been changed. Go back, load the page anew, and try again.</p>`,
    ),
    403,
  );
}

function tokenOf(key: string | Uint8Array, user: string): string {
  return createHmac('sha256', key).update(`csrf ${user}`).digest('base64url');
}
