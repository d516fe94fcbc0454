import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { except } from 'hono/combine';
import { contextStorage } from 'hono/context-storage';
import { ChatkeepError } from '../lib/errors.ts';
import type { WebEnv } from './env.ts';
import { accountRoutes } from './pages/account/routes.ts';
import { activityRoutes } from './pages/activity/routes.ts';
import { conversationRoutes } from './pages/conversation.ts';
import { conversationsRoutes } from './pages/conversations.ts';
import { filesRoutes } from './pages/files.ts';
import { signInRoutes, signOutRoutes } from './pages/sign-in.ts';
import { snapshotsRoutes } from './pages/snapshots/routes.ts';
import { statusRoutes } from './pages/status/routes.ts';
import { uploadRoutes } from './pages/upload/routes.ts';
import { Reader } from './reader/reader.ts';
import { type Access, csrfRequired } from './security/access.ts';
import { CSP_REPORT_PATH, cspReportRoutes } from './security/csp-reports.ts';
import { refuseForeignRequests } from './security/foreign-requests.ts';
import { securityHeaders } from './security/headers.ts';
import { type HostOptions, knownHosts } from './security/hosts.ts';
import type { WebSources } from './sources.ts';
import { staticRoutes } from './static-files.ts';
import { messagePage } from './views/message-page.ts';

export interface WebOptions {
  readonly sources: WebSources;
  /** Who may see the pages. */
  readonly access: Access;
  /** The names under which this machine is reached. */
  readonly names: HostOptions;
}

/** Where files of many gigabytes come in. */
const UPLOADS = '/upload';
/** Other forms hold a few words. */
const LARGEST_FORM_BYTES = 64 * 1024;

/**
 * The web page as a whole. Every answer carries the strict headers; a page that shows bytes of an export loosens or
 * tightens them for itself. What stands before `access.required()` is for everybody, all the rest for those who have
 * signed in.
 */
export function webApp({ sources, access, names }: WebOptions): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  const reader = new Reader(sources);
  app.use(securityHeaders());
  app.use(knownHosts(names));
  app.route('/static', staticRoutes());
  app.route(CSP_REPORT_PATH, cspReportRoutes(sources.logger));
  app.use(refuseForeignRequests());
  app.use(
    except(
      UPLOADS,
      bodyLimit({ maxSize: LARGEST_FORM_BYTES, onError: (context) => context.text('Too large.\n', 413) }),
    ),
  );
  app.route('/sign-in', signInRoutes(access, sources.clock));

  app.use(access.required(), contextStorage());
  app.route(UPLOADS, uploadRoutes(sources));
  app.use(csrfRequired());
  app.route('/sign-out', signOutRoutes(access));
  app.route('/', statusRoutes(sources));
  app.route('/conversations', conversationsRoutes(sources, reader));
  app.route('/conversations', conversationRoutes(sources, reader));
  app.route('/snapshots', filesRoutes(sources));
  app.route('/snapshots', snapshotsRoutes(sources));
  app.route('/activity', activityRoutes(sources));
  app.route('/account', accountRoutes(sources));
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
        error instanceof ChatkeepError
          ? `${error.message} ${error.next}`
          : 'The log of the service has the reason. Backups go on; this page alone is affected.',
      ),
      500,
    );
  });
  return app;
}
