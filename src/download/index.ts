export type { DownloadPlace, ResolveName } from './address-guard.ts';
export { Downloader, type DownloadRequest } from './downloader.ts';
export { DropFolder, type DroppedFile } from './drop-folder.ts';
export { fileKey } from './dropped.ts';
export {
  createLogins,
  type Login,
  type LoginAnswer,
  type LoginContext,
  type LoginHealth,
  type LoginParts,
  loginOrigin,
  readLoginFile,
  type Stored,
  storeCookies,
  storeToken,
  type Trial,
} from './logins/index.ts';
export type { DownloadOutcome, DownloadProgress } from './outcome.ts';
export { filesOfDownload, partPath } from './part/part-file.ts';
export { redirectOf } from './redirect.ts';
export { createTransport, type HttpRequest, type HttpResponse, type Transport } from './transport.ts';
