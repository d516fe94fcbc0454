import { Hono } from 'hono';
import type { WebEnv } from './env.ts';
import { conversationsRoutes } from './pages/conversations.ts';
import { snapshotsRoutes } from './pages/snapshots/routes.ts';
import { securityHeaders } from './security/headers.ts';
import type { WebSources } from './sources.ts';
import { staticRoutes } from './static-files.ts';
import { messagePage } from './views/message-page.ts';

export interface WebOptions {
  readonly sources: WebSources;
}

/**
 * The web page as a whole. Every answer carries the strict headers; a page that shows bytes of an export loosens or
 * tightens them for itself. Static files come before the sign-in, everything else after it.
 */
export function webApp({ sources }: WebOptions): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.use(securityHeaders());
  app.route('/static', staticRoutes());
  app.get('/', (context) => context.redirect('/conversations'));
  app.route('/conversations', conversationsRoutes(sources));
  app.route('/snapshots', snapshotsRoutes(sources));
  app.notFound((context) =>
    context.html(
      messagePage('There is no such page', 'The address may have a typing error, or what it led to is no longer kept.'),
      404,
    ),
  );
  app.onError((error, context) => {
    sources.logger.warn({ err: error, path: context.req.path }, 'a page could not be made');
    return context.html(
      messagePage(
        'The page could not be made',
        'The log of the service has the reason. Backups go on; this page alone is affected.',
      ),
      500,
    );
  });
  return app;
}
