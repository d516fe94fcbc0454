/** How the service is, for machines: health checks and metrics over HTTP. */

export { type Reading, readMetrics } from './reading.ts';
export { HEALTH_PATHS, type ObservabilityOptions, observabilityRoutes } from './routes.ts';
