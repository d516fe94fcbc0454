import { Hono } from 'hono';
import { html } from 'hono/html';
import { accountAddress } from '../../addresses.ts';
import type { WebEnv } from '../../env.ts';
import type { NamedLine, StatusView, WebSources } from '../../sources.ts';
import { type Html, layout } from '../../views/layout.ts';
import { notice } from '../../views/parts.ts';
import { prose } from '../../views/prose.ts';
import { captureJson, captureList } from './captures.ts';

/** Without scripts, while something is under way. */
const REFRESH_SECONDS = 20;

/** `/`: how things are; `/captures`: those under way, for the script that keeps the page current. */
export function statusRoutes({ status, captures, clock }: WebSources): Hono<WebEnv> {
  const routes = new Hono<WebEnv>();
  routes.get('/', async (context) => {
    const view = await status();
    return context.html(
      layout({
        title: 'Status',
        section: 'status',
        styles: ['status.css'],
        scripts: ['captures.js'],
        refreshSeconds: view.open.length > 0 ? REFRESH_SECONDS : undefined,
        main: statusPage(view, clock.now()),
      }),
    );
  });
  routes.get('/captures', async (context) => {
    const ids = context.req.queries('id');
    return context.json(captureJson(await captures(ids)));
  });
  return routes;
}

function statusPage(view: StatusView, now: number): Html {
  return html`<h1>Status</h1>
${head(view)}
<section aria-labelledby="captures">
<h2 id="captures">On its way</h2>
${view.open.length === 0 ? html`<p>No export is being captured.</p>` : captureList(view.open, 'open', now)}
${lines(view.awaited.map((text) => `An export was ${text}.`))}
<p><a class="button" href="/upload">Hand in an export</a></p>
</section>
<section aria-labelledby="kept">
<h2 id="kept">What is kept</h2>
<p>${prose(view.snapshots)}</p>
${named(view.accounts, accountAddress)}
${lines([view.verified, ...view.reminders])}
</section>
${view.ended.length === 0 ? '' : html`<section aria-labelledby="ended"><h2 id="ended">Last exports</h2>${captureList(view.ended, 'open', now)}</section>`}
<div class="rooms">
${room('Mailboxes', view.mailboxes)}
${room('Logins to ChatGPT', view.logins)}
${room('Copies elsewhere', view.offsite)}
${room('Free space', view.disks)}
</div>
${lines([view.undelivered])}`;
}

function head({ isWell, problems }: StatusView): Html {
  if (problems.length === 0) return notice('good', 'The service runs and is well.');
  return html`${isWell ? html`<p>The service runs and is well. Something else needs you:</p>` : ''}
${problems.map(({ what, fix }) =>
  notice('bad', html`<p><strong>${prose(what)}</strong></p><p>What to do: ${prose(fix)}</p>`),
)}`;
}

function room(title: string, all: readonly NamedLine[]): Html | '' {
  return all.length === 0 ? '' : html`<section><h2>${title}</h2>${named(all)}</section>`;
}

function named(all: readonly NamedLine[], addressOf?: (name: string) => string): Html | '' {
  if (all.length === 0) return '';
  return html`<dl class="named">${all.map(
    ({ name, text }) =>
      html`<div><dt>${
        addressOf === undefined ? name : html`<a href="${addressOf(name)}">${name}</a>`
      }</dt><dd>${prose(text)}</dd></div>`,
  )}</dl>`;
}

function lines(texts: readonly (string | undefined)[]): Html {
  return html`${texts.map((text) => (text === undefined ? '' : html`<p>${prose(text)}</p>`))}`;
}
