import { html } from 'hono/html';
import type { Html } from './layout.ts';
import { numeral } from './words.ts';

/** The way to a page from its section: each place but the last, which is the page itself, leads there. */
export function breadcrumbs(
  places: readonly { readonly address: string; readonly name: string }[],
  here: string,
): Html {
  return html`<nav class="crumbs" aria-label="Where you are"><ol>${places.map(
    ({ address, name }) => html`<li><a href="${address}">${name}</a></li>`,
  )}<li aria-current="page">${here}</li></ol></nav>`;
}

export interface Tab {
  readonly name: string;
  readonly address: string;
  readonly isCurrent: boolean;
}

/** Places beside one another, of which one is shown. */
export function tabs(label: string, all: readonly Tab[]): Html {
  return html`<nav class="tabs" aria-label="${label}"><ul>${all.map(
    ({ name, address, isCurrent }) =>
      html`<li><a href="${address}"${isCurrent ? html` aria-current="page"` : ''}>${name}</a></li>`,
  )}</ul></nav>`;
}

/** The accounts, where there are several. */
export function accountTabs(
  accounts: readonly string[],
  current: string,
  addressOf: (account: string) => string,
): Html | string {
  if (accounts.length < 2) return '';
  return tabs(
    'Accounts',
    accounts.map((name) => ({ name, address: addressOf(name), isCurrent: name === current })),
  );
}

export type BadgeTone = 'plain' | 'good' | 'warn' | 'bad';

/** A word or two about a thing, beside its name. */
export function badge(text: string, tone: BadgeTone = 'plain'): Html {
  return html`<span class="badge ${tone}">${text}</span>`;
}

/** Something that the reader should know before the rest. */
export function notice(tone: BadgeTone, content: Html | string): Html {
  return html`<div class="notice ${tone}">${content}</div>`;
}

/** Numbers with what they are of. */
export function figures(all: readonly { readonly name: string; readonly value: Html | string }[]): Html {
  return html`<dl class="figures">${all.map(
    ({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

export interface Pager {
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  readonly addressOf: (page: number) => string;
  /** For those who do not see where it is. */
  readonly label: string;
}

/** Links to the pages of a list; nothing where there is one page only. */
export function pager({ page, pages, addressOf, label }: Pager): Html | string {
  if (pages <= 1) return '';
  return html`<nav class="pager" aria-label="${label}">
${page > 1 ? html`<a href="${addressOf(page - 1)}" rel="prev">← Previous</a>` : html`<span></span>`}
<span>Page ${numeral(page)} of ${numeral(pages)}</span>
${page < pages ? html`<a href="${addressOf(page + 1)}" rel="next">Next →</a>` : html`<span></span>`}
</nav>`;
}

/** The page of a list that a query asks for: from 1, within what there is. */
export function pageOf(asked: string | undefined, items: number, itemsAPage: number): { page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(items / itemsAPage));
  const page = /^\d{1,9}$/.test(asked ?? '') ? Number(asked) : 1;
  return { page: Math.min(Math.max(1, page), pages), pages };
}
