import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import { firstScriptHash } from '../../../src/web/security/first-script.ts';
import { startBrowser } from '../scene.ts';

const RUN = "document.title = 'ran';";

/** Scripts whose end is not the first `</script>` that one sees, and those whose bytes are not their text. */
const SCRIPTS: readonly string[] = [
  RUN,
  `${RUN} // <!-- <script> </script> --> and on`,
  `${RUN} // <!-- </scripts> <scripts> -->`,
  `${RUN} // <!--> <script>`,
  `${RUN} // <!---> <script>`,
  `${RUN} // <!-- <script> --> <script>`,
  `${RUN} // <!-- <script/ </SCRIPT\t --`,
  `${RUN} // --> <!- <script`,
  `var a = "<\\/script>"; ${RUN}`,
  `\r\n${RUN}\r// two\r\r\n// and\n`,
  `var a = "Überblick 微信 🐱"; ${RUN}`,
  `${RUN} // ${'<!-- -'.repeat(20_000)}->`,
];
const OTHERS = `<script>document.title = 'another ran'</script><img src=x onerror="document.title = 'a handler ran'">`;
const pageOf = (script: string) =>
  `<html><head><style>b { c: d }</style></head><body>\n<SCRIPT type="text/javascript">${script}</script >${OTHERS}`;

async function* cut(page: string, ...places: number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(page);
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    yield bytes.subarray(from, end);
    from = end;
  }
}

describe('The hash of the first script of a page', () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  it('lets a browser run this script, whatever is in it, and nothing else', async () => {
    const page = await browser.newPage();
    let [body, policy] = ['', ''];
    await page.route('http://page.test/', (route) =>
      route.fulfill({ contentType: 'text/html; charset=utf-8', body, headers: { 'content-security-policy': policy } }),
    );
    for (const script of SCRIPTS) {
      body = pageOf(script);
      policy = `script-src ${await firstScriptHash(cut(body))}`;
      await page.goto('http://page.test/');
      assert.equal(await page.title(), 'ran', script.slice(0, 60));
    }
    await page.close();
  });

  it('is the same however the page is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SCRIPTS.slice(0, -1)),
        fc.array(fc.nat(500), { maxLength: 30 }),
        async (script, places) => {
          const page = pageOf(script);
          assert.equal(await firstScriptHash(cut(page, ...places)), await firstScriptHash(cut(page)));
        },
      ),
    );
  });

  it('is the SHA-256 of its text in Base64, as policies take it', async () => {
    const hash = createHash('sha256').update(RUN).digest('base64');
    assert.equal(await firstScriptHash(cut(pageOf(RUN))), `'sha256-${hash}'`);
  });

  it('is not there where the page has no script, or one without an end', async () => {
    for (const page of [
      '',
      '<p>text</p>',
      '<scripts>x</scripts>',
      `<script>${RUN}`,
      `<script>${RUN}<!-- <script></script>`,
    ])
      assert.equal(await firstScriptHash(cut(page)), undefined, page);
  });
});
