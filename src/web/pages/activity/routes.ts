import { Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { ActivityReader, isTimeZone } from '../../../catalog/index.ts';
import { DAY_MS, SECOND_MS } from '../../../lib/clock.ts';
import type { WebEnv } from '../../env.ts';
import type { WebSources } from '../../sources.ts';
import { activityPage } from './activity-page.ts';

/** Remembers the reader's own time zone. */
const ZONE_COOKIE = 'tz';

/** `/activity`: when what was written, in charts. */
export function activityRoutes({ catalog, catalogDirectory, signal }: WebSources): Hono<WebEnv> {
  const reader = new ActivityReader(catalogDirectory, signal);
  const routes = new Hono<WebEnv>();
  routes.get('/', async (context) => {
    const { account: askedAccount, year, tz } = context.req.query();
    const asked = tz?.trim();
    if (asked !== undefined && isTimeZone(asked)) {
      setCookie(context, ZONE_COOKIE, asked, {
        path: '/activity',
        httpOnly: true,
        sameSite: 'Strict',
        maxAge: (365 * DAY_MS) / SECOND_MS,
      });
    }
    const chosen = [asked, getCookie(context, ZONE_COOKIE)].find((name) => name !== undefined && isTimeZone(name));
    const zone = chosen ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
    const accounts = catalog()?.choices().accounts ?? [];
    const account = accounts.find((name) => name === askedAccount);
    return context.html(
      activityPage({
        activity: await reader.read({ account, zone }),
        accounts,
        account,
        year,
        zone,
        zoneIsChosen: chosen !== undefined,
        unknownZone: asked !== undefined && asked !== '' && !isTimeZone(asked) ? asked : undefined,
      }),
    );
  });
  return routes;
}
