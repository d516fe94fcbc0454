import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import { sniffAsset } from '../../chatgpt/index.ts';
import { accountDirectory, parseSnapshotName, readSumsOf } from '../../snapshot/index.ts';
import { fileAddress, snapshotAddress } from '../addresses.ts';
import { contentDisposition } from '../disposition.ts';
import type { WebEnv } from '../env.ts';
import { type ByteRange, rangeOf } from '../range.ts';
import { firstScriptHash } from '../security/first-script.ts';
import type { WebSources } from '../sources.ts';
import { bodyOf } from '../stream.ts';
import { layout } from '../views/layout.ts';
import { breadcrumbs } from '../views/parts.ts';
import { dayOfSnapshot } from '../views/words.ts';

/** What a browser shows, and cannot run. Everything else is only to be saved: SVG and HTML are programs, PDF may be. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp'],
  ...['audio/wav', 'audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/aac', 'audio/flac'],
  ...['video/mp4', 'video/quicktime', 'video/webm'],
]);
/** Opened by itself, a file is alone in the world: no scripts, no origin, nothing fetched but itself. */
const FILE_POLICY =
  "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/**
 * The export's own page brings its script along: that one alone runs, without our origin, and reaches nothing. What it
 * puts into the page as HTML is text of conversations, and does not run: a policy without `'unsafe-inline'` is needed for
 * that, since no other holds WebRTC back.
 */
const chatPolicy = (script: string | undefined) =>
  `sandbox allow-scripts; default-src 'none'; script-src ${script ?? "'none'"}; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'`;
const CHAT_PAGE = /(?:^|\/)chat\.html$/;
const READ_BYTES = 256 * 1024;
/** SHA256SUMS, and pages of exports: they never change, and a page asks for many files. */
const REMEMBERED = 2;

/**
 * `/:account/:snapshot/files/…`: the files of a snapshot, as SHA256SUMS lists them and no others. `/:account/:snapshot/chat`:
 * the page that exports bring along, in a frame that nothing gets out of.
 */
export function filesRoutes({ backupDir }: Pick<WebSources, 'backupDir'>): Hono<WebEnv> {
  const routes = new Hono<WebEnv>();
  const known = new Recent<ReadonlyMap<string, string>>();
  const scripts = new Recent<string | undefined>();
  const sumsOf = (directory: string) =>
    known.of(
      directory,
      async () => new Map((await readSumsOf(directory)).map(({ path, sha256 }) => [path, sha256] as const)),
    );

  routes.get('/:account/:snapshot/files/*', async (context) => {
    const [account, snapshot, path] = placeIn(context);
    const directory = directoryOf(backupDir, account, snapshot);
    const sha256 = directory === undefined ? undefined : (await sumsOf(directory)).get(path);
    if (directory === undefined || sha256 === undefined) return context.notFound();
    if (CHAT_PAGE.test(path) && context.req.query('download') === undefined) {
      // Without its frame it could at least lead its reader elsewhere.
      if (context.req.header('sec-fetch-dest') !== 'iframe')
        return context.redirect(snapshotAddress({ account, name: snapshot }, '/chat'));
      const script = await scripts.of(sha256, () => scriptOf(directory, path));
      return serve(context, { directory, path, sha256, type: 'text/html; charset=utf-8', framed: chatPolicy(script) });
    }
    const { mime } = await sniffAsset(directory, path);
    return serve(context, { directory, path, sha256, type: mime, framed: undefined });
  });

  routes.get('/:account/:snapshot/chat', async (context) => {
    const { account, snapshot } = context.req.param();
    const directory = directoryOf(backupDir, account, snapshot);
    const path =
      directory === undefined ? undefined : [...(await sumsOf(directory)).keys()].find((one) => CHAT_PAGE.test(one));
    if (path === undefined) return context.notFound();
    const title = 'The page of the export';
    const main = html`${breadcrumbs(
      [
        { address: '/snapshots', name: 'Snapshots' },
        { address: snapshotAddress({ account, name: snapshot }), name: snapshot },
      ],
      title,
    )}
<h1>${title}</h1>
<p class="faint">chat.html as OpenAI made it, of ${dayOfSnapshot(snapshot)}. It is shut in: it cannot reach anything outside, pictures are not shown. <a href="${fileAddress(account, snapshot, path, { download: 1 })}">Download</a></p>
<iframe class="chat" sandbox="allow-scripts" src="${fileAddress(account, snapshot, path)}" title="${title}" referrerpolicy="no-referrer"></iframe>`;
    return context.html(layout({ title, section: 'snapshots', main, styles: ['reader.css'] }));
  });
  return routes;
}

interface Served {
  readonly directory: string;
  readonly path: string;
  readonly sha256: string;
  readonly type: string;
  /** The policy of what is shown in our frame. */
  readonly framed: string | undefined;
}

async function serve(context: Context, { directory, path, sha256, type, framed }: Served): Promise<Response> {
  const file = await openInside(directory, path);
  if (file === undefined) return context.notFound();
  const { size } = await file.stat();
  await file.close();
  const etag = `"${sha256}"`;
  const isShown = (SHOWN.has(type) || framed !== undefined) && context.req.query('download') === undefined;
  const headers: Record<string, string> = {
    'content-type': isShown ? type : 'application/octet-stream',
    'content-security-policy': framed ?? FILE_POLICY,
    'content-disposition': contentDisposition(isShown ? 'inline' : 'attachment', nameFor(context, path)),
    'accept-ranges': 'bytes',
    // Asked for again each time, and not sent again: what was signed out of is not shown any more.
    'cache-control': 'private, no-cache',
    etag,
    ...(framed === undefined ? {} : { 'x-frame-options': 'SAMEORIGIN' }),
  };
  if (isKnown(context.req.header('if-none-match'), etag)) return context.body(null, 304, headers);
  const condition = context.req.header('if-range');
  const range = condition === undefined || condition === etag ? rangeOf(context.req.header('range'), size) : undefined;
  if (range === 'not-there') return context.body(null, 416, { ...headers, 'content-range': `bytes */${size}` });
  const { first, last } = range ?? { first: 0, last: size - 1 };
  headers['content-length'] = String(last - first + 1);
  if (range !== undefined) headers['content-range'] = `bytes ${first}-${last}/${size}`;
  const pieces = piecesOf(directory, path, { first, last });
  return context.body(bodyOf(pieces), range === undefined ? 200 : 206, headers);
}

/** RFC 9110, section 13.1.2: a list of tags, weak ones count, too. */
function isKnown(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag) === true;
}

/** By which name it is saved: that of its upload, which the link to it tells, else its own. */
function nameFor(context: Context, path: string): string {
  return context.req.query('name') ?? path.slice(path.lastIndexOf('/') + 1);
}

async function* piecesOf(
  directory: string,
  path: string,
  { first, last }: ByteRange,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  await using file = await openInside(directory, path);
  if (file === undefined) throw new Error('The file has gone.');
  for (let at = first; at <= last; ) {
    const piece = new Uint8Array(Math.min(READ_BYTES, last - at + 1));
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw new Error('The file is shorter than it was.');
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function scriptOf(directory: string, path: string): Promise<string | undefined> {
  await using file = await openInside(directory, path);
  if (file === undefined) return undefined;
  return await firstScriptHash(file.createReadStream({ autoClose: false, highWaterMark: READ_BYTES }));
}

/** A plain file that lies in the directory; undefined of anything else, links that lead out of it among them. */
async function openInside(directory: string, path: string): Promise<FileHandle | undefined> {
  try {
    const [root, place] = await Promise.all([realpath(directory), realpath(join(directory, path))]);
    if (!place.startsWith(`${root}${sep}`)) return undefined;
    const file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch {
    // Not there, or not to be read.
  }
  return undefined;
}

/** Account, snapshot and path of `/snapshots/ACCOUNT/SNAPSHOT/files/PATH`; each part is decoded by itself, so that `%2F` is no slash of ours. */
function placeIn(context: Context): readonly [string, string, string] {
  const [, , account = '', snapshot = '', , ...path] = new URL(context.req.url).pathname.split('/').map(decoded);
  return [account, snapshot, path.join('/')];
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Where a snapshot of that name would lie; undefined of names that none has. */
function directoryOf(backupDir: string, account: string, snapshot: string): string | undefined {
  if (accountDirectory(account) !== account || parseSnapshotName(snapshot) === undefined) return undefined;
  return join(backupDir, account, snapshot);
}

/** What was found out last, so that it need not be found out anew. */
class Recent<T> {
  readonly #known = new Map<string, Promise<T>>();

  of(key: string, find: () => Promise<T>): Promise<T> {
    const value = this.#known.get(key) ?? find();
    this.#known.delete(key);
    this.#known.set(key, value);
    value.catch(() => this.#known.delete(key));
    for (const oldest of this.#known.keys()) if (this.#known.size > REMEMBERED) this.#known.delete(oldest);
    return value;
  }
}
