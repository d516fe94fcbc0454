import { html } from 'hono/html';
import { type Html, layout } from './layout.ts';

/** A page that says one thing, to somebody who may not have signed in. */
export function plainPage(title: string, text: Html): Html {
  return layout({ title, main: html`<h1>${title}</h1>${text}`, withoutNavigation: true });
}
