import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type Authority, createAuthority } from './certificates.ts';
import { Connections } from './connections.ts';

/** The account of OpenAI's sender (shared facts: "Click tracking"). */
export const CLICK_COUNTER_HOST = 'u20216706.ct.sendgrid.net';

/** What a counted link is answered with. */
export type Click =
  /** As the service does: 302, and a body of a few bytes. */
  | { readonly kind: 'redirect'; readonly to: string }
  /** A redirect to itself. */
  | { readonly kind: 'circle' }
  /** This status and no `Location`, unless given. */
  | { readonly kind: 'answer'; readonly status: number; readonly location?: string }
  /** A redirect, or a page if it leads nowhere, with a body that never ends. */
  | { readonly kind: 'flood'; readonly to?: string }
  /** A header field that is longer than any client takes. */
  | { readonly kind: 'long-header' }
  /** The request is taken, and nothing comes. */
  | { readonly kind: 'silence' };

/** A request as it came. */
export interface ClickRequest {
  readonly method: string | undefined;
  readonly host: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Resolves when its answer has ended, in whatever way. */
  readonly ended: Promise<void>;
}

/** SendGrid's click counter: `https://u20216706.ct.sendgrid.net/ls/click?upn=…`. */
export interface ClickCounter extends AsyncDisposable {
  /** Whose root certificate clients must trust. */
  readonly authority: Authority;
  readonly requests: readonly ClickRequest[];
  /** A link that is answered in this way. */
  link(click: Click): string;
}

export interface ClickCounterOptions {
  /** The address to listen on. The port is 443: links name none. */
  readonly address: string;
  /** The name in its certificate; its own unless told. */
  readonly certifiedAs?: string;
}

const PIECE = Buffer.alloc(64 * 1024, 'x');
const LONG_FIELD_BYTES = 1024 * 1024;

/** Starts a click counter. Needs root, for its port. */
export async function startClickCounter({ address, certifiedAs }: ClickCounterOptions): Promise<ClickCounter> {
  const authority = await createAuthority();
  const { keyPem, certPem } = await authority.issue({ hosts: [certifiedAs ?? CLICK_COUNTER_HOST] });
  const server = createServer({ key: keyPem, cert: certPem });
  const connections = new Connections(server);
  const clicks = new Map<string, Click>();
  const requests: ClickRequest[] = [];
  server.on('request', (request, response) => {
    const { method, headers, url = '/' } = request;
    const ended = new Promise<void>((resolve) => response.once('close', resolve));
    requests.push({ method, host: headers.host, headers, ended });
    const { pathname, searchParams } = new URL(url, `https://${CLICK_COUNTER_HOST}`);
    const click = pathname === '/ls/click' ? clicks.get(searchParams.get('upn') ?? '') : undefined;
    answer(response, click ?? { kind: 'answer', status: 404 }, url);
  });
  server.listen(443, address);
  await once(server, 'listening');
  return {
    authority,
    requests,
    link(click) {
      const upn = `u001.${randomBytes(60).toString('base64url')}`;
      clicks.set(upn, click);
      return `https://${CLICK_COUNTER_HOST}/ls/click?upn=${upn}`;
    },
    [Symbol.asyncDispose]: () => closed(server, connections),
  };
}

function answer(response: ServerResponse, click: Click, url: string): void {
  switch (click.kind) {
    case 'redirect':
      response.writeHead(302, { location: click.to, 'content-type': 'text/html; charset=utf-8' });
      response.end(`<a href="${click.to.replaceAll('&', '&amp;')}">Found</a>.\n`);
      return;
    case 'circle':
      response.writeHead(302, { location: url }).end();
      return;
    case 'answer':
      response.writeHead(click.status, click.location === undefined ? {} : { location: click.location }).end('Sorry.');
      return;
    case 'flood':
      if (click.to === undefined) response.writeHead(200);
      else response.writeHead(302, { location: click.to });
      flood(response);
      return;
    case 'long-header':
      response.writeHead(302, { location: `https://chatgpt.com/${'x'.repeat(LONG_FIELD_BYTES)}` }).end();
      return;
    case 'silence':
      return;
  }
}

/** Writes for as long as somebody reads. */
function flood(response: ServerResponse): void {
  const more = () => {
    while (!response.closed && response.write(PIECE));
  };
  response.on('drain', more);
  more();
}

async function closed(server: Server, connections: Connections): Promise<void> {
  const end = once(server, 'close');
  server.close();
  connections.destroyAll();
  await end;
}
