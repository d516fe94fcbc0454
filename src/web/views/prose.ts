import { html } from 'hono/html';
import type { Html } from './layout.ts';

/** Addresses of ChatGPT are the only ones that are made links: other texts may come from anywhere. */
const MARKED = /(`[^`]+`|https:\/\/chatgpt\.com\/[#/\w-]*)/;

/** A text as the terminal shows it: what stands in backticks is code, the page to ask for an export a link. */
export function prose(text: string): Html {
  return html`${text.split(MARKED).map((piece) => {
    if (piece.startsWith('`') && piece.endsWith('`') && piece.length > 1)
      return html`<code>${piece.slice(1, -1)}</code>`;
    return piece.startsWith('https://chatgpt.com/') ? html`<a href="${piece}" rel="noreferrer">${piece}</a>` : piece;
  })}`;
}
