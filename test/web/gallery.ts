import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { CatalogConversation } from '../../src/catalog/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { conversationAddress } from '../../src/web/addresses.ts';
import { createAccount, nextExport } from '../support/openai/exports/index.ts';
import { startBrowser, WebScene } from './scene.ts';
import { exampleStatus } from './status/example.ts';

/** When somebody looks at the gallery. */
export const NOW = Date.parse('2026-06-21T19:30:00Z');
const PASSWORD = 'open sesame';
const ACCOUNT = 'ada@example.com';
const [WINTER, SPRING, SUMMER] = ['2026-03-01T10:00:00Z', '2026-04-14T18:20:00Z', '2026-06-20T19:05:33Z'] as const;

/** One of the pages, and how a browser comes to it. */
export interface Exhibit {
  readonly name: string;
  /** Of its answer. */
  readonly status: number;
  /** Whether one has to be signed in; the sign-in itself is for those who are not. */
  readonly signedIn: boolean;
  /** Gives the status of the answer. */
  readonly open: (page: Page) => Promise<number | undefined>;
}

/** What a conversation can hold, by what shows it on its page. */
const HOLDINGS = {
  formulas: /<math[\s>]/,
  code: /class="hljs-/,
  'both in one answer': /class="code"(?:(?!<\/article>)[\s\S])*<math/,
  pictures: /<img /,
  'files that are missing': /class="missing"/,
  voice: /<audio /,
  sources: /class="sources"/,
  thoughts: /<summary>Thoughts/,
} as const;

/**
 * Every page there is, each with something to show: two accounts of the simulator, the first with three exports in which
 * conversations come, change and go, and the format with them. A password is asked for; the clock stands still.
 */
export class Gallery implements AsyncDisposable {
  readonly origin: string;
  /** The paths that something is to be had from, as the web page has them. */
  readonly paths: readonly string[];
  readonly exhibits: readonly Exhibit[];
  readonly #browser: Browser;
  readonly #cookie: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    { origin, paths }: Pick<WebScene, 'origin' | 'paths'>,
    { browser, cookie }: { readonly browser: Browser; readonly cookie: string },
    exhibits: readonly Exhibit[],
    stack: AsyncDisposableStack,
  ) {
    this.origin = origin;
    this.paths = paths;
    this.exhibits = exhibits;
    this.#browser = browser;
    this.#cookie = cookie;
    this.#stack = stack;
  }

  static async open(): Promise<Gallery> {
    await using stack = new AsyncDisposableStack();
    const browser = await startBrowser();
    stack.defer(() => browser.close());
    const status = exampleStatus(NOW);
    const scene = stack.use(
      await WebScene.open({
        password: PASSWORD,
        clock: { ...systemClock, now: () => NOW },
        status: async () => status,
        captures: async () => status.open,
      }),
    );
    const winter = createAccount({ seed: 'ada', conversations: 40, email: ACCOUNT });
    const spring = nextExport(winter, { seed: 'spring', add: 4, change: 3, delete: 1, days: 44 });
    const summer = nextExport(spring, { seed: 'summer', add: 5, change: 3, delete: 2, days: 67 });
    await scene.take(winter, 'G4', WINTER);
    await scene.take(spring, 'G4', SPRING);
    await scene.take(summer, 'G5', SUMMER);
    await scene.take(createAccount({ seed: 'grace', conversations: 3 }), 'G5', '2026-05-01T08:00:00Z');
    const cookie = await signIn(scene.origin);
    const exhibits = await exhibitsOf(scene, cookie);
    return new Gallery(scene, { browser, cookie }, exhibits, stack.move());
  }

  exhibit(name: string | RegExp): Exhibit {
    const found = this.exhibits.find((one) => (typeof name === 'string' ? one.name === name : name.test(one.name)));
    assert.ok(found, `the gallery has no ${name}`);
    return found;
  }

  /** A page of a browser that has never been here, signed in where the exhibit asks for it. */
  async visit({ signedIn }: Exhibit, options: BrowserContextOptions): Promise<Page> {
    const context = await this.#browser.newContext({ timezoneId: 'UTC', locale: 'en-GB', ...options });
    const [name = '', value = ''] = this.#cookie.split('=');
    if (signedIn) await context.addCookies([{ name, value, url: this.origin }]);
    return context.newPage();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function signIn(origin: string): Promise<string> {
  const answer = await fetch(`${origin}/sign-in`, {
    method: 'POST',
    headers: { origin },
    body: new URLSearchParams({ password: PASSWORD }),
    redirect: 'manual',
  });
  const [cookie] = answer.headers.get('set-cookie')?.split(';') ?? [];
  assert.ok(cookie, `not signed in: ${answer.status}`);
  return cookie;
}

async function exhibitsOf(scene: WebScene, cookie: string): Promise<Exhibit[]> {
  const { origin } = scene;
  const at = (name: string, path: string, status = 200): Exhibit => ({
    name,
    status,
    signedIn: true,
    open: async (page) => (await page.goto(`${origin}${path}`))?.status(),
  });
  const textOf = async (path: string) => (await fetch(`${origin}${path}`, { headers: { cookie } })).text();
  const conversations = scene.catalog?.conversations({ account: ACCOUNT }, { limit: 100 }) ?? [];
  const one = (what: string, condition: (conversation: CatalogConversation) => boolean): CatalogConversation => {
    const found = conversations.find(condition);
    assert.ok(found, `there is no conversation ${what}`);
    return found;
  };
  const changed = one('with versions', ({ versions, presence }) => versions > 1 && presence === 'present');
  const branched = one('with branches', ({ branches, presence }) => branches > 0 && presence === 'present');
  const [, otherBranch = ''] =
    /<a href="([^"]+\?[^"]*through=[^"#]+)/.exec(await textOf(conversationAddress(branched))) ?? [];
  const snapshots = `/snapshots/${encodeURIComponent(ACCOUNT)}`;
  const [spring, summer] = [SPRING, SUMMER].map((stamp) => stamp.replaceAll(':', '')) as [string, string];
  return [
    { ...at('sign-in', '/sign-in', 200), signedIn: false },
    at('status', '/'),
    at('upload', '/upload'),
    at('snapshots', '/snapshots'),
    { ...at('snapshot', `${snapshots}/${summer}`), open: onceCompared(`${origin}${snapshots}/${summer}`) },
    {
      ...at('comparison', ''),
      open: onceCompared(`${origin}${snapshots}/${summer}/comparison?with=${spring}`),
    },
    at('page of the export', `${snapshots}/${spring}/chat`),
    at('conversations', '/conversations'),
    at('deleted conversations', `/conversations?state=deleted&account=${ACCOUNT}`),
    at('search', '/conversations?q=second+step'),
    at('search without results', '/conversations?q=zanzibar'),
    at('conversation', conversationAddress(one('of some length', ({ messages }) => messages > 8))),
    at('deleted conversation', conversationAddress(one('deleted', ({ presence }) => presence === 'gone'))),
    at('earlier version', conversationAddress(changed, { version: 1 })),
    at('other branch', otherBranch.replaceAll('&amp;', '&')),
    ...(await conversationsHolding(conversations, textOf, at)),
    at('activity', '/activity?year=2025'),
    at('account', `/account?account=${ACCOUNT}`),
    at('nothing there', '/nothing', 404),
    at('no such conversation', `/conversations/${ACCOUNT}/nothing`, 404),
    refusedForm(origin),
    foreignForm(origin),
    unknownName(origin),
  ];
}

/** One of each; a conversation may stand for several. */
async function conversationsHolding(
  conversations: readonly CatalogConversation[],
  textOf: (path: string) => Promise<string>,
  at: (name: string, path: string) => Exhibit,
): Promise<Exhibit[]> {
  const wanted = new Map<string, RegExp>(Object.entries(HOLDINGS));
  const found: Exhibit[] = [];
  const inLatin = ({ title = '' }: CatalogConversation) => /^[\x20-\x7e]+$/.test(title);
  const latinFirst = conversations.toSorted((a, b) => Number(inLatin(b)) - Number(inLatin(a)));
  for (const conversation of latinFirst) {
    const path = conversationAddress(conversation, { version: 1 });
    const text = await textOf(path);
    const held = [...wanted].filter(([, mark]) => mark.test(text)).map(([name]) => name);
    for (const name of held) wanted.delete(name);
    if (held.length > 0) found.push(at(`conversation with ${held.join(', ')}`, path));
    if (wanted.size === 0) return found;
  }
  throw new Error(`no conversation holds ${[...wanted.keys()].join(', ')}`);
}

/** Comparisons are made behind the page, which shows what it came to once it is there. */
function onceCompared(address: string): Exhibit['open'] {
  return async (page) => {
    const answer = await page.goto(address);
    await page.getByText(/5 new conversations/).waitFor();
    return answer?.status();
  };
}

/** The token of its form is missing. */
function refusedForm(origin: string): Exhibit {
  return {
    name: 'refused form',
    status: 403,
    signedIn: true,
    open: async (page) => {
      await page.goto(`${origin}/nothing`);
      const answer = page.waitForResponse(`${origin}/sign-out`);
      await page.locator('input[name=csrf]').evaluate((input: { remove(): void }) => input.remove());
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(`${origin}/sign-out`);
      return (await answer).status();
    },
  };
}

/** Something is sent that no page of ours has sent. */
function foreignForm(origin: string): Exhibit {
  return {
    name: 'foreign form',
    status: 403,
    signedIn: false,
    open: async (page) => {
      await page.route(`${origin}/sign-in`, (route) => route.continue({ method: 'POST' }));
      return (await page.goto(`${origin}/sign-in`))?.status();
    },
  };
}

function unknownName(origin: string): Exhibit {
  return {
    name: 'unknown name',
    status: 421,
    signedIn: false,
    open: async (page) => {
      await page.route(`${origin}/`, async (route) => {
        const headers = { ...route.request().headers(), host: 'nas.example' };
        await route.fulfill({ response: await route.fetch({ headers }) });
      });
      return (await page.goto(origin))?.status();
    },
  };
}
