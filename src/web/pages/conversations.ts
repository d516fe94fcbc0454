import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import type { Catalog } from '../../catalog/index.ts';
import { count } from '../../lib/text.ts';
import { queryOf } from '../addresses.ts';
import type { WebEnv } from '../env.ts';
import { filterOf, isNarrowed, type ListQuery, readListQuery, searchFilterOf } from '../list-query.ts';
import type { SearchAnswer } from '../reader/questions.ts';
import { type Reader, ReaderFailure } from '../reader/reader.ts';
import type { WebSources } from '../sources.ts';
import { conversationList } from '../views/conversation-list.ts';
import { type Html, layout } from '../views/layout.ts';
import { notice, pageOf, pager } from '../views/parts.ts';
import { searchForm } from '../views/search-form.ts';
import { emptyResults, foundOf, resultTemplate, searchResults } from '../views/search-results.ts';

const A_PAGE = 50;
const HITS_A_PAGE = 20;
/** As many are put in order; the others are counted as "more". */
const MOST_HITS = 1_000;

/** `/`: all conversations of all snapshots, and what is found in them. `/search`: the same for the page's script. */
export function conversationsRoutes(sources: WebSources, reader: Reader): Hono<WebEnv> {
  const routes = new Hono<WebEnv>();
  const { catalog: currentCatalog, clock, logger } = sources;

  const search = (context: Context, query: ListQuery, page: number): Promise<SearchAnswer> =>
    reader.ask(
      'search',
      {
        typed: query.q ?? '',
        options: {
          filter: searchFilterOf(query),
          limit: HITS_A_PAGE,
          offset: (page - 1) * HITS_A_PAGE,
          order: query.order ?? 'best',
          typing: context.req.path.endsWith('/search'),
          now: clock.now(),
        },
      },
      context.req.raw.signal,
    );

  routes.get('/', async (context) => {
    const query = readListQuery(context.req.query());
    const catalog = currentCatalog();
    const choices = catalog?.choices();
    if (catalog === undefined || choices === undefined || choices.accounts.length === 0)
      return context.html(pageWith(html`<h1>Conversations</h1>${nothingYet()}`));
    const { page } = pageOf(query.page, MOST_HITS, HITS_A_PAGE);
    const body =
      query.q === undefined
        ? html`${list(catalog, query, choices.accounts.length > 1)}${emptyResults()}`
        : await found(context, query, page);
    return context.html(
      pageWith(
        html`<h1>Conversations</h1>${searchForm(query, choices)}<p class="unseen" id="told" role="status"></p>${body}${resultTemplate()}`,
        query.q,
      ),
    );
  });

  routes.get('/search', async (context) => {
    const query = readListQuery(context.req.query());
    try {
      const answer = await search(context, query, 1);
      return answer.kind === 'no-catalog'
        ? context.json({ error: 'no-catalog' }, 503)
        : context.json(foundOf(answer.result));
    } catch (error) {
      if (!(error instanceof ReaderFailure)) throw error;
      return context.json({ error: 'failed' }, 503);
    }
  });
  return routes;

  async function found(context: Context, query: ListQuery, page: number): Promise<Html> {
    try {
      return results(await search(context, query, page), query, page);
    } catch (error) {
      if (!(error instanceof ReaderFailure)) throw error;
      logger.warn(`a search came to nothing: ${error.message}`);
      return notice(
        'bad',
        html`<p>The search came to nothing: it took too long, or the index is being made anew. Try again in a minute, or with rarer words. What is kept is not affected.</p>`,
      );
    }
  }
}

function pageWith(main: Html, searched?: string): Html {
  return layout({
    title: searched === undefined ? 'Conversations' : `Search: ${searched}`,
    section: 'conversations',
    main,
    styles: ['reader.css'],
    scripts: ['search.js'],
  });
}

function nothingYet(): Html {
  return notice(
    'plain',
    html`<p>There is nothing to read yet. Conversations are shown here once the first export is kept and its index is made, which takes about a minute for a gigabyte.</p>
<p><a href="/">See how far the service is</a></p>`,
  );
}

function list(catalog: Catalog, query: ListQuery, withAccount: boolean): Html {
  const filter = filterOf(query);
  const all = catalog.count(filter);
  const { page, pages } = pageOf(query.page, all, A_PAGE);
  const conversations = catalog.conversations(filter, { limit: A_PAGE, offset: (page - 1) * A_PAGE });
  if (all === 0) {
    const why = isNarrowed(filter)
      ? html`No conversation is like that. <a href="/conversations">Show all</a>`
      : 'No export has held a conversation so far.';
    return html`<section id="list" aria-label="Conversations">${notice('plain', html`<p>${why}</p>`)}</section>`;
  }
  return html`<section id="list" aria-label="Conversations">
<p class="count">${count(all, 'conversation')}, the newest first</p>
${conversationList(conversations, withAccount)}
${pager({ page, pages, addressOf: (number) => `/conversations${queryOf({ ...query, page: number })}`, label: 'Pages of the list' })}
</section>`;
}

function results(answer: SearchAnswer, query: ListQuery, page: number): Html {
  if (answer.kind === 'no-catalog') return nothingYet();
  const { found } = answer.result;
  const pages = Math.max(1, Math.ceil(found / HITS_A_PAGE));
  const addressOf = (number: number) => `/conversations${queryOf({ ...query, page: number })}`;
  return html`${searchResults(foundOf(answer.result))}${pager({ page, pages, addressOf, label: 'Pages of what was found' })}
${found === 0 && answer.result.titles.length === 0 && answer.result.remark === undefined ? notice('plain', html`<p>All words have to be in one message. Fewer words find more; <code>begin*</code> finds what begins so, <code>"two words"</code> finds them side by side, and <code>-word</code> leaves out.</p>`) : ''}`;
}
