import { html } from 'hono/html';
import type { Html } from '../views/layout.ts';
import { numeral } from '../views/words.ts';

/** A chart with what it says in words, and its numbers as a table. */
export interface ChartFigure {
  /** Unique in its page. */
  readonly id: string;
  readonly title: string;
  /** What it shows, in a sentence. */
  readonly text: string;
  readonly chart: Html;
  readonly table: Html;
}

export function chartFigure({ id, title, text, chart, table }: ChartFigure): Html {
  return html`<section class="figure" aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
<p class="faint">${text}</p>
${chart}
<details><summary>As a table<span class="unseen">: ${title}</span></summary>
<div class="table" tabindex="0" role="region" aria-label="Table: ${title}">${table}</div></details>
</section>`;
}

/** A table of numbers: what each row is of comes first. */
export function numbersTable(
  head: readonly string[],
  rows: readonly (readonly [name: string, ...numbers: (number | string)[]])[],
): Html {
  return html`<table><thead><tr>${head.map((name, index) => html`<th scope="col"${index === 0 ? '' : html` class="number"`}>${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([name, ...numbers]) =>
      html`<tr><th scope="row">${name}</th>${numbers.map((n) => html`<td class="number">${typeof n === 'number' ? numeral(n) : n}</td>`)}</tr>`,
  )}</tbody></table>`;
}
