/** The web page: status and reader, over what was kept. */
import type { WebOptions, webApp } from './app.ts';

export { Access, type AccessOptions } from './security/access.ts';
export type { CaptureView, NamedLine, ProblemView, StatusView, UploadDesk, WebSources } from './sources.ts';

/** The pages, loaded when somebody looks for the first time: with all that they need they take 15 MB of memory. */
export async function loadWebApp(options: WebOptions): Promise<ReturnType<typeof webApp>> {
  return (await import('./app.ts')).webApp(options);
}
