import { readdirSync, readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { sha256 } from '../lib/hash.ts';

const DIRECTORY = new URL('./static/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};
const A_YEAR = 'public, max-age=31536000, immutable';

interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly address: string;
}

const FILES: ReadonlyMap<string, StaticFile> = new Map(
  readdirSync(DIRECTORY).map((name) => {
    const bytes = new Uint8Array(readFileSync(new URL(name, DIRECTORY)));
    const hash = sha256(bytes).slice(0, 12);
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    return [name, { bytes, type, address: `/static/${hash}/${name}` }];
  }),
);

/** Where a file of `static/` is served: its content is part of the address, so that browsers may keep it for ever. */
export function staticAddress(name: string): string {
  const file = FILES.get(name);
  if (file === undefined) throw new Error(`there is no static file ${name}`);
  return file.address;
}

/** `/<hash>/<name>` */
export function staticRoutes(): Hono {
  const routes = new Hono();
  routes.get('/:hash/:name', (context) => {
    const file = FILES.get(context.req.param('name'));
    if (file === undefined || file.address !== `/static/${context.req.param('hash')}/${context.req.param('name')}`)
      return context.notFound();
    return context.body(file.bytes, 200, { 'content-type': file.type, 'cache-control': A_YEAR });
  });
  return routes;
}
