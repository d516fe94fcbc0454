import { Hono } from 'hono';
import type { Health } from '../heartbeat.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from './metrics.ts';
import type { Reading } from './reading.ts';

export interface ObservabilityOptions {
  /** Whether the mailboxes answer and the work goes on. */
  readonly health: () => Health;
  readonly read: () => Promise<Reading>;
  readonly logger: Logger;
}

/** The paths of {@link observabilityRoutes}. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * `/healthz`: the process lives and answers. `/readyz`: the service does what it is for, else 503 with the reason.
 * `/metrics`: for Prometheus. They can be put beside others on one listener.
 */
export function observabilityRoutes({ health, read, logger }: ObservabilityOptions): Hono {
  let metrics: Promise<Metrics> | undefined;
  const routes = new Hono();
  routes.get('/healthz', (context) => context.text('ok\n'));
  routes.get('/readyz', (context) => {
    const judged = health();
    return judged.kind === 'healthy' ? context.text('ok\n') : context.text(`${judged.detail}\n`, 503);
  });
  routes.get('/metrics', async (context) => {
    try {
      metrics ??= openMetrics();
      const { contentType } = await metrics;
      return context.body(await (await metrics).render(await read()), 200, { 'content-type': contentType });
    } catch (error) {
      logger.warn({ err: error }, 'the metrics could not be read');
      return context.text('The metrics could not be read; the log has the reason.\n', 500);
    }
  });
  return routes;
}

/** Loaded when Prometheus asks first: most services are never asked. */
async function openMetrics(): Promise<Metrics> {
  const { Metrics } = await import('./metrics.ts');
  return new Metrics();
}
