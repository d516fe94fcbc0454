import { html } from 'hono/html';
import type { Html } from './layout.ts';
import { moment } from './words.ts';

/** Addresses of ChatGPT are the only ones that are made links: other texts may come from anywhere. */
const MARKED = /(`[^`]+`|https:\/\/chatgpt\.com\/[#/\w-]*|\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC)/;
/** As `formatMoment` writes it. */
const MOMENT = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}) UTC$/;

/** A text as the terminal shows it: what stands in backticks is code, the page to ask for an export a link, moments are moments. */
export function prose(text: string): Html {
  return html`${text.split(MARKED).map((piece) => {
    if (piece.startsWith('`') && piece.endsWith('`') && piece.length > 1)
      return html`<code>${piece.slice(1, -1)}</code>`;
    const [, day, time] = MOMENT.exec(piece) ?? [];
    const at = Date.parse(`${day}T${time}Z`);
    if (!Number.isNaN(at)) return moment(at);
    return piece.startsWith('https://chatgpt.com/') ? html`<a href="${piece}" rel="noreferrer">${piece}</a>` : piece;
  })}`;
}
