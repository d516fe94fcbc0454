import { createHash } from 'node:crypto';
import type { Asset, Block, ReadableMessage } from '../chatgpt/index.ts';
import { escapeHtml } from '../lib/html.ts';
import { absenceOf, type Format, momentOf, type Page, speakerOf } from './page.ts';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}article{border-top:1px solid #8886;padding:.5rem 0}h2{font-size:1rem;color:#777}p,pre,blockquote{white-space:pre-wrap;overflow-wrap:anywhere}pre{background:#8882;padding:.5rem}img,video{max-width:100%}:root{color-scheme:light dark}';
/** Nothing is fetched from anywhere, and nothing runs: this style and the files beside the page are all there is. */
const POLICY = `default-src 'none'; img-src 'self' file:; media-src 'self' file:; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** Pages that any browser opens: all content is escaped, there is no script in them, and none could run. */
export const html: Format = {
  extension: '.html',
  render(page) {
    const { conversation, readable } = page;
    const title = escaped(readable.title ?? 'Untitled');
    const absence = absenceOf(conversation);
    const messages = readable.messages.filter(({ hidden }) => !hidden).map((message) => articleOf(message, page));
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
${absence === undefined ? '' : `<p><strong>${escaped(absence)}</strong></p>\n`}${messages.join('\n')}
</body>
</html>
`;
  },
};

function articleOf({ role, authorName, createdAt, blocks, attachments }: ReadableMessage, page: Page): string {
  const time = createdAt === undefined ? '' : ` · ${momentOf(createdAt)} UTC`;
  const parts = [...blocks.map((block) => elementOf(block, page)), ...attachments.map((asset) => assetOf(asset, page))];
  return `<article>\n<h2>${escaped(speakerOf(role, authorName))}${time}</h2>\n${parts.join('\n')}\n</article>`;
}

function elementOf(block: Block, page: Page): string {
  switch (block.kind) {
    case 'text': {
      const sources = new Map(block.citations.map(({ url, title }) => [url, title ?? url] as const));
      const links = [...sources].map(
        ([url, title]) => `<li><a rel="noopener noreferrer nofollow" href="${escaped(url)}">${escaped(title)}</a></li>`,
      );
      return `<p dir="auto">${escaped(block.text)}</p>${links.length === 0 ? '' : `<ul>${links.join('')}</ul>`}`;
    }
    case 'transcription':
      return `<p dir="auto">${escaped(block.text)}</p>`;
    case 'code':
    case 'execution-output':
      return `<pre>${escaped(block.text)}</pre>`;
    case 'image':
    case 'audio':
      return assetOf(block.asset, page);
    case 'video':
      return block.assets.map((asset) => assetOf(asset, page)).join('\n');
    case 'thoughts':
      return block.thoughts
        .map(({ summary, text }) => `<blockquote>${escaped([summary, text].filter(Boolean).join('\n'))}</blockquote>`)
        .join('\n');
    case 'quote':
      return `<blockquote>${escaped([block.title, block.url, block.text].filter(Boolean).join('\n'))}</blockquote>`;
    default:
      return `<blockquote>${escaped(block.text)}</blockquote>`;
  }
}

function assetOf(asset: Asset, { linkTo }: Page): string {
  const link = linkTo(asset);
  const name = escaped(asset.name);
  if (link === undefined) return `<p><em>${name}: not in the export</em></p>`;
  switch (asset.type.kind) {
    case 'image':
      return `<p><img src="${link}" alt="${name}" loading="lazy"></p>`;
    case 'audio':
      return `<p><audio controls preload="none" src="${link}"></audio> ${name}</p>`;
    case 'video':
      return `<p><video controls preload="none" src="${link}"></video> ${name}</p>`;
    case 'other':
      return `<p><a href="${link}" download>${name}</a></p>`;
  }
}

function escaped(text: string): string {
  return escapeHtml(text.toWellFormed());
}
