import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { conversationAddress } from '../../src/web/addresses.ts';
import { startBrowser, WebScene } from './scene.ts';

/** What would run if anything did: it tells the page's owner. */
const RUN = 'window.canary()';
/** Somewhere else; nothing may ever be asked for there. */
const ELSEWHERE = 'https://elsewhere.test';

/** Each is a message, a title, and the name of a file. */
const PAYLOADS: readonly string[] = [
  `<script>${RUN}</script>`,
  `<img src=x onerror=${RUN}>`,
  `<svg onload=${RUN}>`,
  `<svg><script>${RUN}</script></svg>`,
  `<iframe srcdoc="<script>parent.canary()</script>"></iframe>`,
  `<iframe src="javascript:${RUN}"></iframe>`,
  `<body onload=${RUN}>`,
  `<details open ontoggle=${RUN}>x</details>`,
  `<video><source onerror=${RUN}></video>`,
  `<audio src=x onerror=${RUN}>`,
  `<input autofocus onfocus=${RUN}>`,
  `<marquee onstart=${RUN}>x</marquee>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`,
  `<math><annotation-xml encoding="text/html"><img src=x onerror=${RUN}></annotation-xml></math>`,
  `<form><math><mtext></form><form><mglyph><style></math><img src onerror=${RUN}>`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `<template><script>${RUN}</script></template>`,
  `<style>@import '${ELSEWHERE}/a.css';</style>`,
  `<link rel=stylesheet href=${ELSEWHERE}/b.css>`,
  `<base href=${ELSEWHERE}/>`,
  `<meta http-equiv=refresh content="0;url=${ELSEWHERE}/">`,
  `<object data="data:text/html,<script>parent.canary()</script>"></object>`,
  `<embed src="${ELSEWHERE}/e.swf">`,
  `<form action=${ELSEWHERE}><button autofocus>x</button></form>`,
  `<a href="javascript:${RUN}">x</a>`,
  `[x](javascript:${RUN})`,
  `[x](JaVaScRiPt:${RUN})`,
  `[x](java&#10;script:${RUN})`,
  `[x](&#106;avascript:${RUN})`,
  `[x](data:text/html;base64,PHNjcmlwdD5wYXJlbnQuY2FuYXJ5KCk8L3NjcmlwdD4=)`,
  `[x](vbscript:${RUN})`,
  `[x](/sign-out)`,
  `[x](//elsewhere.test/)`,
  `[x](<javascript:${RUN}>)`,
  `[x][r]\n\n[r]: javascript:${RUN}`,
  `<javascript:${RUN}>`,
  `![x](${ELSEWHERE}/a.png)`,
  `![x](javascript:${RUN})`,
  `![x](data:image/svg+xml,<svg onload=${RUN}>)`,
  `![x](x "onerror=${RUN}")`,
  `![" onerror="${RUN}](${ELSEWHERE}/b.png)`,
  `[" onmouseover="${RUN}](https://example.test/" onmouseover="${RUN})`,
  `https://example.test/"onmouseover="${RUN}`,
  `\`\`\`"><img src=x onerror=${RUN}>\nlet a = 1;\n\`\`\``,
  `\`\`\`js\n</code></pre><script>${RUN}</script>\n\`\`\``,
  `\`\`\`html\n<script>${RUN}</script>\n\`\`\``,
  `\`<script>${RUN}</script>\``,
  `\\(\\href{javascript:${RUN}}{x}\\)`,
  `\\(\\htmlData{a=b}{\\text{<img src=x onerror=${RUN}>}}\\)`,
  `\\(\\includegraphics{${ELSEWHERE}/c.png}\\)`,
  `\\[\\text{</annotation></math><img src=x onerror=${RUN}>}\\]`,
  `$$\\url{javascript:${RUN}}$$`,
  `\\(\\style{background:url(${ELSEWHERE}/d)}{x}\\)`,
  `| a |\n|---|\n| <img src=x onerror=${RUN}> |`,
  `> <img src=x onerror=${RUN}>`,
  `# <svg/onload=${RUN}>`,
  `- <img src=x onerror=${RUN}>`,
  `&lt;img src=x onerror=${RUN}&gt;`,
  `\u2028<img src=x onerror=${RUN}>\u2029`,
  `"><img src=x onerror=${RUN}>`,
  `'--></title></style></textarea></script><script>${RUN}</script>`,
  `{{constructor.constructor('${RUN}')()}}`,
  `\${${RUN}}`,
  `<x contenteditable onblur=${RUN} autofocus tabindex=1>`,
  `<a id=canary><a id=canary name=x href=x>`,
  `\ue200cite\ue202<img src=x onerror=${RUN}>\ue201`,
  `\ue2f01\ue2f1<b>`,
];

type Json = Record<string, unknown>;

/** So many conversations hold all payloads in their messages; the others have one for their title. */
const FULL = 6;

/** A conversation in which user, ChatGPT, a tool and a citation say the payloads, and files have them for names. */
function conversationOf(title: string, index: number): Json {
  const id = `xss-${String(index).padStart(3, '0')}`;
  const payloads = index < FULL ? PAYLOADS.filter((_, place) => place % FULL === index) : [title];
  const messages = payloads.flatMap((payload, place) => messagesOf(payload, `${id}-${place}`));
  const mapping = Object.fromEntries(
    messages.map((one, place) => [
      one.id,
      { id: one.id, message: one, parent: messages[place - 1]?.id ?? null, children: [] },
    ]),
  );
  const current_node = messages.at(-1)?.id;
  return {
    id,
    conversation_id: id,
    title,
    create_time: 1_750_000_000,
    current_node,
    mapping,
    default_model_slug: title,
  };
}

function messagesOf(payload: string, id: string): (Json & { readonly id: string })[] {
  const message = (name: string, role: string, content: Json, metadata: Json = {}) => ({
    id: `${id}-${name}`,
    author: { role, name: role === 'tool' ? payload : null },
    create_time: 1_750_000_000,
    content,
    metadata: { model_slug: payload, ...metadata },
    recipient: 'all',
  });
  const mark = '\ue200cite\ue202turn0search0\ue201';
  const items = [
    { title: payload, url: `https://example.test/${payload}` },
    { title: payload, url: `javascript:${RUN}` },
  ];
  const attachments = [{ id: `file-${id}`, name: `${payload}.html`, mime_type: 'text/html' }];
  const references = { content_references: [{ matched_text: mark, items }] };
  return [
    message('user', 'user', { content_type: 'text', parts: [payload] }, { attachments }),
    message('answer', 'assistant', { content_type: 'text', parts: [`${payload}\n\n${mark}`] }, references),
    message('code', 'assistant', { content_type: 'code', language: payload, text: payload }),
    message('tool', 'tool', { content_type: 'tether_quote', title: payload, url: `javascript:${RUN}`, text: payload }),
    message('thoughts', 'assistant', { content_type: 'thoughts', thoughts: [{ summary: payload, content: payload }] }),
    message('error', 'tool', { content_type: 'system_error', name: payload, text: payload }),
    message('odd', 'assistant', { content_type: payload, text: payload }),
  ];
}

describe('What conversations hold', () => {
  let scene: WebScene;
  let browser: Browser;

  before(async () => {
    scene = await WebScene.open();
    await scene.takeFiles(
      {
        'conversations.json': JSON.stringify(PAYLOADS.map(conversationOf)),
        'user.json': JSON.stringify({ id: 'user-x', email: 'xss@example.com' }),
      },
      '2026-06-21T19:05:33Z',
    );
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await scene?.[Symbol.asyncDispose]();
  });

  it('never runs, reaches nothing outside, breaks no rule of the page, and is still shown', async () => {
    assert.ok(PAYLOADS.length >= 50);
    const page = await browser.newPage();
    const trouble: string[] = [];
    await page.exposeFunction('canary', () => trouble.push(`ran at ${page.url()}`));
    page.on('dialog', (dialog) => void dialog.dismiss().then(() => trouble.push('a dialog')));
    page.on('console', (message) => trouble.push(message.text()));
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('popup', () => trouble.push('a window'));
    page.on('request', (request) => {
      if (!request.url().startsWith(scene.origin)) trouble.push(`asked for ${request.url()}`);
      if (request.url().includes('csp')) trouble.push(`a rule was broken at ${page.url()}`);
    });
    const conversations = scene.catalog?.conversations({}, { limit: 200 }) ?? [];
    assert.equal(conversations.length, PAYLOADS.length);
    await page.goto(`${scene.origin}/conversations`);
    await page.goto(`${scene.origin}/conversations?page=2`);
    await page.goto(`${scene.origin}/conversations?q=${encodeURIComponent('img OR canary')}`);
    await page.goto(`${scene.origin}/conversations?q=canary`);
    await page.fill('#q', 'onerror');
    await page.waitForURL(/q=onerror/);
    for (let index = 0; index < FULL; index += 1) {
      const conversation = conversations.find(({ id }) => id === `xss-00${index}`);
      assert.ok(conversation);
      await page.goto(`${scene.origin}${conversationAddress(conversation, { hidden: 1 })}`);
      const shown = await page.locator('.message.user').allTextContents();
      for (const [place, payload] of PAYLOADS.filter((_, at) => at % FULL === index).entries())
        for (const line of linesShownOf(payload)) assert.ok(shown[place]?.includes(line), `${payload} is not shown`);
      const active = 'script, iframe, form, object, embed, style, [style], [onerror], [onload], [srcdoc]';
      assert.equal(await page.locator('main').locator(active).count(), 0);
      const links = await page
        .locator('main a')
        .evaluateAll((all) =>
          all.map((one: { getAttribute(name: string): string | null }) => one.getAttribute('href')),
        );
      for (const link of links) assert.match(link ?? '', /^(?:\/(?:conversations|snapshots)|https?:\/\/|mailto:)/);
      assert.deepEqual(trouble, []);
    }
    assert.deepEqual(trouble, []);
  });
});

/** The lines of what a user has typed, without the fences around code and the marks of citations. */
function linesShownOf(payload: string): string[] {
  if (payload.startsWith('\ue200')) return [];
  return payload
    .replaceAll(/[\ue200-\ue2ff]/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('```'));
}
