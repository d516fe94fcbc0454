import { tryGetContext } from 'hono/context-storage';
import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { WebEnv } from '../env.ts';
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
  /** For those who have not signed in. */
  readonly withoutNavigation?: true;
}

/** A whole page. Works without scripts; those it has only make it quicker. */
export function layout(page: Layout): Html {
  const { title, section, main, styles = [], scripts = [], refreshSeconds, withoutNavigation } = page;
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
${['times.js', ...scripts].map((name) => html`<script type="module" src="${staticAddress(name)}"></script>`)}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="/">Chatkeep</a>
${withoutNavigation === true ? '' : navigation(section)}
</header>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>`;
}

function navigation(section: Section | undefined): Html {
  return html`<nav aria-label="Main">
<ul>${SECTIONS.map(
    ({ id, address, name }) =>
      html`<li><a href="${address}"${id === section ? html` aria-current="page"` : ''}>${name}</a></li>`,
  )}</ul>
</nav>
${whoIsSignedIn()}`;
}

/** Of the request that is being answered, so that no page has to know of it. */
function whoIsSignedIn(): Html | '' {
  const context = tryGetContext<WebEnv>();
  const signedIn = context?.get('signedIn');
  switch (signedIn?.way) {
    case 'password':
      return html`<form class="who" method="post" action="/sign-out">
<input type="hidden" name="csrf" value="${context?.get('csrfToken')}">
<button class="link">Sign out</button>
</form>`;
    case 'proxy':
      return html`<span class="who faint">${signedIn.user}</span>`;
    default:
      return '';
  }
}
