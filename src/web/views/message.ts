import { html, raw } from 'hono/html';
import { formatBytes } from '../../lib/text.ts';
import { anchorOf, fileAddress } from '../addresses.ts';
import type { BlockView, FileView, MessageView } from '../reader/questions.ts';
import type { Html } from './layout.ts';
import { badge } from './parts.ts';
import { moment, thumbOf } from './words.ts';

/** Where the files of a page lie, and where its other pages are. */
export interface Surroundings {
  readonly account: string;
  readonly snapshot: string;
  /** Of the page that shows this branch. */
  readonly branchAddress: (node: string) => string;
  readonly messageAddress: (message: MessageView) => string;
  /** Of the whole text of a message, as a plain one. */
  readonly textAddress: (node: string) => string;
}

/** A message with all that belongs to it. */
export function messageView(message: MessageView, around: Surroundings): Html {
  const { id, node, role, folded, hidden } = message;
  const anchor = anchorOf(id);
  const kind = folded === undefined ? (role === 'user' ? 'user' : 'answer') : 'work';
  return html`<article class="message ${kind}" id="${anchor}" aria-labelledby="${anchor}-by" tabindex="-1">
${node === id ? '' : html`<span id="${anchorOf(node)}"></span>`}<header>${speaker(message, `${anchor}-by`)}${facts(message, around)}${hidden ? badge('Hidden in ChatGPT') : ''}</header>
${folded === undefined ? content(message, around) : html`<details><summary>${folded}</summary>${content(message, around)}</details>`}
${alternatives(message, around)}
</article>`;
}

function speaker({ speaker: name }: MessageView, id: string): Html {
  return html`<h2 id="${id}">${name}</h2>`;
}

function facts(message: MessageView, around: Surroundings): Html {
  const { at, model, rating, node } = message;
  const time = at === undefined ? 'no time' : moment(at);
  return html`<p class="faint">${model === undefined ? '' : html`<span class="model">${model}</span> · `}<a class="link" href="${around.messageAddress(message)}" title="Link to this message">${time}</a>${
    rating === undefined ? '' : html` · ${ratingWords(rating)}`
  }</p><button type="button" class="small copy" data-text="${around.textAddress(node)}" hidden>Copy</button>`;
}

function ratingWords(rating: string): string {
  const thumb = thumbOf(rating);
  return thumb === undefined ? `rated ${rating}` : `you rated it ${thumb}`;
}

function content({ blocks, sources, cut, node }: MessageView, around: Surroundings): Html {
  return html`<div class="content">${blocks.map((block) => blockView(block, around))}${
    blocks.length === 0 ? html`<p class="faint">No content</p>` : ''
  }${cut ? html`<p class="cut">This message is longer than is shown here. <a href="${around.textAddress(node)}">Read the whole text</a></p>` : ''}${
    sources.length === 0
      ? ''
      : html`<details class="sources" open><summary>Sources</summary><ol>${sources.map(
          ({ url, title }) =>
            html`<li><a href="${url}" rel="noopener noreferrer nofollow" dir="auto">${title}</a> <span class="faint">${hostOf(url)}</span></li>`,
        )}</ol></details>`
  }</div>`;
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? '';
}

function blockView(block: BlockView, around: Surroundings): Html {
  switch (block.kind) {
    case 'text':
      // The only HTML that is not made here: the sanitiser's output (reader/sanitiser.ts).
      return html`<div class="${block.typed ? 'typed' : 'prose'}" dir="auto">${raw(block.html)}</div>`;
    case 'spoken':
      return html`<div class="spoken">${block.files.map((file) => player(file, around))}${
        block.text === undefined || block.text === '' ? '' : html`<p class="typed" dir="auto">${block.text}</p>`
      }</div>`;
    case 'image':
      return image(block, around);
    case 'file':
      return block.file.kind === 'video' || block.file.kind === 'audio'
        ? player(block.file, around)
        : download(block.file, around);
    case 'fold':
      return html`<details class="fold"><summary>${block.title}</summary>${block.blocks.map((one) => blockView(one, around))}</details>`;
    case 'quote':
      return html`<figure class="quote"><figcaption>${
        block.url === undefined
          ? block.title
          : html`<a href="${block.url}" rel="noopener noreferrer nofollow" dir="auto">${block.title}</a>`
      }</figcaption><blockquote class="typed" dir="auto">${block.text}</blockquote></figure>`;
    case 'note':
      return html`<p class="note" dir="auto">${block.title === '' ? '' : html`<strong>${block.title}</strong> `}${block.text}</p>`;
  }
}

/** The largest side that a picture is given room for before it is there. */
const LARGEST_SIDE = 10_000;

function image(
  { file, width, height, generated, prompt }: Extract<BlockView, { kind: 'image' }>,
  around: Surroundings,
): Html {
  if (file.path === undefined) return missing(generated ? 'generated picture' : 'picture', file, prompt);
  const address = addressOf(file, file.path, around);
  const size = isSide(width) && isSide(height) ? html` width="${width}" height="${height}"` : '';
  return html`<figure class="picture"><a href="${address}" title="Show it in full"><img src="${address}" alt="${file.name}" loading="lazy" decoding="async"${size}></a>${
    prompt === undefined || prompt === '' ? '' : html`<figcaption class="faint" dir="auto">${prompt}</figcaption>`
  }</figure>`;
}

function isSide(pixels: number | undefined): pixels is number {
  return pixels !== undefined && Number.isInteger(pixels) && pixels > 0 && pixels <= LARGEST_SIDE;
}

function player(file: FileView, around: Surroundings): Html {
  if (file.path === undefined) return missing(file.kind === 'video' ? 'recording' : 'sound', file, undefined);
  const address = addressOf(file, file.path, around);
  const element =
    file.kind === 'video'
      ? html`<video controls preload="metadata" src="${address}" aria-label="${file.name}"></video>`
      : html`<audio controls preload="none" src="${address}" aria-label="${file.name}"></audio>`;
  return html`<div class="player">${element}<a class="faint" href="${addressOf(file, file.path, around, true)}">Download</a></div>`;
}

function download(file: FileView, around: Surroundings): Html {
  if (file.path === undefined) return missing('file', file, undefined);
  return html`<p class="file"><a href="${addressOf(file, file.path, around, true)}" dir="auto">${file.name}</a>${
    file.bytes === undefined ? '' : html` <span class="faint">${formatBytes(file.bytes)}</span>`
  }</p>`;
}

function missing(what: string, { name }: FileView, prompt: string | undefined): Html {
  return html`<p class="missing"><span dir="auto">${name}</span> <span class="faint">This ${what} is not in the export.</span>${
    prompt === undefined || prompt === '' ? '' : html` <span class="faint" dir="auto">${prompt}</span>`
  }</p>`;
}

function addressOf({ name }: FileView, path: string, { account, snapshot }: Surroundings, asDownload = false): string {
  return fileAddress(account, snapshot, path, { name, download: asDownload ? 1 : undefined });
}

function alternatives({ alternative }: MessageView, { branchAddress }: Surroundings): Html | string {
  if (alternative === undefined) return '';
  const { number, of, earlier, later } = alternative;
  return html`<div class="branches" role="group" aria-label="What else stood here">${
    earlier === undefined
      ? html`<span aria-hidden="true">←</span>`
      : html`<a href="${branchAddress(earlier)}" aria-label="The one before">←</a>`
  } <span>${number} of ${of}</span> ${
    later === undefined
      ? html`<span aria-hidden="true">→</span>`
      : html`<a href="${branchAddress(later)}" aria-label="The one behind">→</a>`
  }</div>`;
}
