import { Hono } from 'hono';
import { html } from 'hono/html';
import { formatBytes } from '../../../lib/text.ts';
import type { WebEnv } from '../../env.ts';
import { isToken, refuseWithoutToken } from '../../security/access.ts';
import type { CaptureView, WebSources } from '../../sources.ts';
import { type Html, layout } from '../../views/layout.ts';
import { breadcrumbs, notice } from '../../views/parts.ts';
import { captureList, isUnderWay } from '../status/captures.ts';
import { ForeignForm, type Received, receiveBody, receiveForm } from './receive.ts';

/** Without scripts, while something is under way. */
const REFRESH_SECONDS = 5;

/** `/upload`: takes exports in that somebody has downloaded, and tells what became of them. It sees to the token itself. */
export function uploadRoutes(sources: WebSources): Hono<WebEnv> {
  const { captures, uploads, clock, logger } = sources;
  const routes = new Hono<WebEnv>();

  const page = async (csrfToken: string, ids: readonly string[], refused: readonly Received[] = []) => {
    const taken = ids.length === 0 ? [] : await captures(ids);
    return layout({
      title: 'Hand in an export',
      section: 'status',
      styles: ['status.css'],
      scripts: ['upload.js', ...(taken.length > 0 ? ['captures.js'] : [])],
      refreshSeconds: taken.some(isUnderWay) ? REFRESH_SECONDS : undefined,
      main: uploadPage({ csrfToken, taken, refused, freeBytes: await uploads.freeBytes(), now: clock.now() }),
    });
  };

  routes.get('/', async (context) => {
    return context.html(await page(context.get('csrfToken'), context.req.queries('taken') ?? []));
  });

  routes.post('/', async (context) => {
    const type = context.req.header('content-type') ?? '';
    try {
      if (!type.startsWith('multipart/form-data')) {
        if (!isToken(context.req.header('x-csrf-token'), context.get('csrfToken'))) return refuseWithoutToken(context);
        const received = await receiveBody(context, uploads);
        return context.json(received, received.kind === 'taken' ? 202 : 422);
      }
      const received = await receiveForm(context, uploads);
      const ids = received.flatMap((one) => (one.kind === 'taken' ? [one.capture] : []));
      const refused = received.filter(({ kind }) => kind === 'refused');
      // Loading the page again sends nothing twice.
      if (refused.length === 0) return context.redirect(addressOf(ids), 303);
      return context.html(await page(context.get('csrfToken'), ids, refused), 422);
    } catch (error) {
      if (error instanceof ForeignForm) return refuseWithoutToken(context);
      logger.info({ err: error }, 'an upload was broken off; nothing of it is kept');
      return context.body(null, 400);
    }
  });
  return routes;
}

function addressOf(ids: readonly string[]): string {
  return ids.length === 0
    ? '/upload'
    : `/upload?${new URLSearchParams(ids.map((id): [string, string] => ['taken', id]))}`;
}

interface UploadPage {
  readonly csrfToken: string;
  readonly taken: readonly CaptureView[];
  readonly refused: readonly Received[];
  readonly freeBytes: number;
  readonly now: number;
}

function uploadPage({ csrfToken, taken, refused, freeBytes, now }: UploadPage): Html {
  return html`${breadcrumbs([{ address: '/', name: 'Status' }], 'Hand in an export')}
<h1>Hand in an export</h1>
${refused.map((one) =>
  one.kind === 'refused' ? notice('bad', html`<strong>${one.name}</strong> was not taken. ${one.reason}`) : '',
)}
${taken.length === 0 ? '' : html`<h2>Handed in</h2>${captureList(taken, 'named', now)}<h2>Another one</h2>`}
<p>A ZIP that you have downloaded from ChatGPT yourself is checked, unpacked and kept as a snapshot, as if it had come by
mail. If an export waits for a login, its ZIP completes it.</p>
<form method="post" action="/upload" enctype="multipart/form-data" data-upload data-free-bytes="${freeBytes}">
<input type="hidden" name="csrf" value="${csrfToken}">
<label class="choose">The ZIP file, or several
<input type="file" name="file" accept=".zip,application/zip" multiple required>
</label>
<p><button class="first">Hand in</button> <span class="faint">${formatBytes(freeBytes)} are free for it.</span></p>
</form>
<ul class="files" data-files aria-live="polite"></ul>`;
}
