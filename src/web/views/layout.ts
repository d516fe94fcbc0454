import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { staticAddress } from '../static-files.ts';

/** A piece of a page: all that was put into it as text is escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** The main places, as the navigation has them. */
export type Section = 'status' | 'conversations' | 'snapshots' | 'activity' | 'account';

const SECTIONS: readonly { readonly id: Section; readonly address: string; readonly name: string }[] = [
  { id: 'status', address: '/', name: 'Status' },
  { id: 'conversations', address: '/conversations', name: 'Conversations' },
  { id: 'snapshots', address: '/snapshots', name: 'Snapshots' },
  { id: 'activity', address: '/activity', name: 'Activity' },
  { id: 'account', address: '/account', name: 'Account' },
];

export interface Layout {
  /** For the browser's tab and history; the page has its own heading. */
  readonly title: string;
  readonly section?: Section;
  /** What the page holds. */
  readonly main: Html;
  /** Files of `static/` that this page has besides what every page does. */
  readonly styles?: readonly string[];
  readonly scripts?: readonly string[];
  /** The page shows something under way: without scripts it is loaded again after so many seconds. */
  readonly refreshSeconds?: number | undefined;
}

/** A whole page. Works without scripts; those it has only make it quicker. */
export function layout({ title, section, main, styles = [], scripts = [], refreshSeconds }: Layout): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Chatkeep</title>
<link rel="icon" href="${staticAddress('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${staticAddress('style.css')}">
${styles.map((name) => html`<link rel="stylesheet" href="${staticAddress(name)}">`)}
${refreshSeconds === undefined ? '' : html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`}
${scripts.map((name) => html`<script type="module" src="${staticAddress(name)}"></script>`)}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="/">Chatkeep</a>
<nav aria-label="Main">
<ul>${SECTIONS.map(
    ({ id, address, name }) =>
      html`<li><a href="${address}"${id === section ? html` aria-current="page"` : ''}>${name}</a></li>`,
  )}</ul>
</nav>
</header>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>`;
}
