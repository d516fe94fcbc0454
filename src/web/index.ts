/** The web page: status and reader, over what was kept. */
export { type WebOptions, webApp } from './app.ts';
export { Access, type AccessOptions } from './security/access.ts';
export type { CaptureView, NamedLine, ProblemView, StatusView, UploadDesk, WebSources } from './sources.ts';
