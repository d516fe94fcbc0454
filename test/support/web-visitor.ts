import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';

/** Somebody at the web page, without a browser. */
export class WebVisitor {
  readonly #origin: string;
  #cookie = '';

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Redirects are not followed. */
  open(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { origin: this.#origin, cookie: this.#cookie };
    return fetch(`${this.#origin}${path}`, { redirect: 'manual', headers, ...init });
  }

  /** Gives the status of the answer; 303 if the password is the right one. */
  async signIn(password: string): Promise<number> {
    const { status, headers } = await this.open('/sign-in', {
      method: 'POST',
      body: new URLSearchParams({ password }),
    });
    this.#cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
    return status;
  }

  /** The text of a page that can be seen. */
  async read(path: string): Promise<string> {
    const response = await this.open(path);
    const page = await response.text();
    assert.equal(response.status, 200, `${path}: ${page}`);
    return page;
  }

  /** Resolves with a conversation's page as soon as there is one, come to by the list of all. */
  async readAConversation(): Promise<string> {
    const links = async () => (await this.read('/conversations')).match(/(?<=href=")\/conversations\/[^/"]+\/[^"?#]+/g);
    await eventually(async () => (await links()) !== null, 120_000);
    return this.read((await links())?.[0] ?? '');
  }

  /** Asserts that every style sheet and script of a page is there. */
  async assertFurnished(page: string): Promise<void> {
    const files = page.match(/(?<=(?:href|src)=")\/static\/[^"]+/g) ?? [];
    assert.ok(files.length > 2, page);
    for (const file of files) assert.equal((await this.open(file)).status, 200, file);
  }
}
