import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import * as z from 'zod';
import type { Logger } from '../../lib/logger.ts';
import { printable } from '../../lib/printable.ts';

/** Where browsers tell of what the policy kept from happening. */
export const CSP_REPORT_PATH = '/csp-report';

const MOST_BYTES = 16 * 1024;
const IN_A_MINUTE = 30;
/** Kinds that are remembered as told; who makes up more is not worth the memory. */
const MOST_KINDS = 100;

/** As the directive report-uri has it: https://www.w3.org/TR/CSP3/#deprecated-serialize-violation */
const reportSchema = z.object({
  'csp-report': z.object({
    'effective-directive': z.string(),
    'blocked-uri': z.string().default(''),
    'document-uri': z.string().default(''),
    'source-file': z.string().default(''),
    'line-number': z.number().optional(),
  }),
});

/** `/`: a page of ours did what its policy forbids, or somebody tries to make it. Each kind is logged once. */
export function cspReportRoutes(logger: Logger): Hono {
  const limiter = new RateLimiterMemory({ points: IN_A_MINUTE, duration: 60 });
  const told = new Set<string>();
  const routes = new Hono();
  routes.post(
    '/',
    bodyLimit({ maxSize: MOST_BYTES, onError: (context) => context.body(null, 413) }),
    async (context) => {
      const isWelcome = await limiter.consume('all').then(
        () => true,
        () => false,
      );
      if (!isWelcome) return context.body(null, 429);
      const parsed = reportSchema.safeParse(await context.req.json().catch(() => undefined));
      if (!parsed.success) return context.body(null, 400);
      const report = parsed.data['csp-report'];
      const facts = {
        directive: printable(report['effective-directive']),
        blocked: printable(report['blocked-uri']),
        page: printable(pathOf(report['document-uri'])),
      };
      const kind = `${facts.directive} ${facts.blocked}`;
      if (!told.has(kind) && told.size < MOST_KINDS) {
        told.add(kind);
        logger.warn(
          { ...facts, source: printable(pathOf(report['source-file'])), line: report['line-number'] },
          'the policy of the web page kept something from happening',
        );
      }
      return context.body(null, 204);
    },
  );
  return routes;
}

/** Without what may be private in the rest. */
function pathOf(address: string): string {
  return URL.parse(address)?.pathname ?? '';
}
