import { html } from 'hono/html';
import type { Choices } from '../../catalog/index.ts';
import { isNarrowed, type ListQuery, searchFilterOf } from '../list-query.ts';
import type { Html } from './layout.ts';

/** The search box, and what narrows the list and the search down. */
export function searchForm(query: ListQuery, { accounts, models }: Choices): Html {
  return html`<search><form action="/conversations" method="get" class="finder" id="finder">
<div class="box">
<label for="q" class="unseen">Search in all messages</label>
<input type="search" id="q" name="q" value="${query.q ?? ''}" placeholder="Search in all messages" maxlength="1000" autocomplete="off" spellcheck="false">
<button class="first">Search</button>
</div>
<details${isNarrowed(searchFilterOf(query)) ? html` open` : ''}>
<summary>Filter</summary>
<div class="row">
${accounts.length < 2 ? '' : choice('account', 'Account', accounts, query.account, 'All accounts')}
<label>Words of the title<input name="title" value="${query.title ?? ''}" maxlength="200"></label>
<label>From<input type="date" name="from" value="${query.from ?? ''}"></label>
<label>To<input type="date" name="to" value="${query.to ?? ''}"></label>
${models.length === 0 ? '' : choice('model', 'Model', models, query.model, 'All models')}
${choice(
  'state',
  'In the newest export',
  [
    ['present', 'Yes'],
    ['deleted', 'No longer'],
  ],
  query.state,
  'Whether or not',
)}
${choice(
  'voice',
  'Spoken',
  [
    ['yes', 'With voice'],
    ['no', 'Without voice'],
  ],
  query.voice,
  'Whether or not',
)}
${choice(
  'role',
  'Written by (search)',
  [
    ['user', 'You'],
    ['assistant', 'ChatGPT'],
    ['tool', 'Tools'],
  ],
  query.role,
  'Anybody',
)}
${choice('order', 'Order (search)', [['newest', 'Newest first']], query.order, 'Best first')}
<button>Apply</button>
<a href="/conversations">Clear</a>
</div>
</details>
</form></search>`;
}

function choice(
  name: string,
  label: string,
  values: readonly (string | readonly [string, string])[],
  chosen: string | undefined,
  all: string,
): Html {
  const options = values.map((value) => (typeof value === 'string' ? ([value, value] as const) : value));
  return html`<label>${label}<select name="${name}"><option value="">${all}</option>${options.map(
    ([value, text]) => html`<option value="${value}"${value === chosen ? html` selected` : ''}>${text}</option>`,
  )}</select></label>`;
}
