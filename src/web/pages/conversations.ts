import { Hono } from 'hono';
import { html } from 'hono/html';
import type { WebEnv } from '../env.ts';
import type { WebSources } from '../sources.ts';
import { layout } from '../views/layout.ts';
import { moment } from '../views/words.ts';

const A_PAGE = 50;

/** `/`: all conversations of all snapshots. */
export function conversationsRoutes({ catalog }: WebSources): Hono<WebEnv> {
  const routes = new Hono<WebEnv>();
  routes.get('/', (context) => {
    const conversations = catalog()?.conversations({}, { limit: A_PAGE }) ?? [];
    const main = html`<h1>Conversations</h1>
<ol class="plain">${conversations.map(
      ({ number, title, newestAt }) =>
        html`<li><a href="/conversations/${number}">${title ?? 'Untitled'}</a> ${newestAt === undefined ? '' : moment(newestAt)}</li>`,
    )}</ol>`;
    return context.html(layout({ title: 'Conversations', section: 'conversations', main }));
  });
  return routes;
}
