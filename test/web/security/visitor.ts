import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock } from '../../../src/lib/clock.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { webApp } from '../../../src/web/app.ts';
import { Access } from '../../../src/web/index.ts';
import { tempDir } from '../../support/temp-dir.ts';

/** The password of the tests' page. */
export const PASSWORD = 'open sesame';

export interface DoorOptions {
  /** Null: there is none. */
  readonly password?: string | null;
  readonly proxies?: readonly string[];
  readonly trustedHeader?: string;
  readonly url?: string;
  readonly hosts?: readonly string[];
  readonly now?: () => number;
  /** Another door's, to come after it. */
  readonly sessionsPath?: string;
}

/** What a request brings along. */
export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** As a form sends it. */
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The address that the connection comes from. */
  readonly from?: string;
}

/** The page without a network: requests as one wishes, also such as no browser would send. */
export class Door implements AsyncDisposable {
  readonly sessionsPath: string;
  /** What was logged at least as a warning. */
  readonly warnings: Record<string, unknown>[];
  readonly #app: ReturnType<typeof webApp>;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    app: ReturnType<typeof webApp>,
    sessionsPath: string,
    warnings: Record<string, unknown>[],
    stack: AsyncDisposableStack,
  ) {
    this.#app = app;
    this.sessionsPath = sessionsPath;
    this.warnings = warnings;
    this.#stack = stack;
  }

  static async open(options: DoorOptions = {}): Promise<Door> {
    const { password = PASSWORD, proxies = [], hosts = [], trustedHeader, url, now } = options;
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDir());
    const warnings: Record<string, unknown>[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line)) });
    const clock = { ...systemClock, ...(now === undefined ? {} : { now }) };
    const sessionsPath = options.sessionsPath ?? join(path, 'web-sessions.json');
    const access = await Access.open({
      password: password === null ? undefined : new Secret(password),
      proxies,
      trustedHeader,
      url,
      sessionsPath,
      clock,
      logger,
    });
    const sources = {
      backupDir: path,
      catalogDirectory: '/nowhere',
      catalog: () => undefined,
      compare: () => Promise.resolve(undefined),
      status: () => Promise.reject(new Error('the test has no status')),
      captures: () => Promise.resolve([]),
      uploads: { freeBytes: async () => 1e12, take: () => Promise.reject(new Error('the test takes nothing in')) },
      clock,
      logger,
      signal: new AbortController().signal,
    };
    const app = webApp({ sources, access, names: { url, hosts } });
    return new Door(app, sessionsPath, warnings, stack.move());
  }

  async ask(address: string, { method, headers, form, body, from = '192.0.2.7' }: Ask = {}): Promise<Response> {
    const sent = new Headers({ host: 'localhost:8788', ...headers });
    const isChange = method !== undefined || form !== undefined || body !== undefined;
    if (isChange && !sent.has('origin') && !sent.has('sec-fetch-site'))
      sent.set('origin', `http://${sent.get('host')}`);
    return this.#app.request(
      address,
      {
        method: method ?? (isChange ? 'POST' : 'GET'),
        headers: sent,
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
        ...(body === undefined ? {} : { body }),
      },
      { incoming: { socket: { remoteAddress: from } } },
    );
  }

  /** Signs in, and gives the cookie as the browser sends it from then on. */
  async signIn(ask: Ask = {}): Promise<string> {
    const response = await this.ask('/sign-in', { form: { password: PASSWORD }, ...ask });
    const cookie = response.headers.get('set-cookie')?.split(';')[0];
    if (cookie === undefined) throw new Error(`not signed in: ${response.status} ${await response.text()}`);
    return cookie;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** The token in the forms of a page. */
export async function csrfTokenIn(response: Response): Promise<string> {
  const [, token] = /name="csrf" value="([^"]+)"/.exec(await response.text()) ?? [];
  if (token === undefined) throw new Error('the page has no form with a token');
  return token;
}
