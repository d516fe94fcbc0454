import type { z } from 'zod';
import { isLoopback } from '../lib/loopback.ts';
import type { Secret } from '../lib/secret.ts';
import type { Draft } from './draft.ts';
import type { Findings } from './findings.ts';
import type { Glimpse } from './glimpse.ts';
import { type configSchema, listenAddressOf, type ResolvedWeb } from './schema.ts';

const DEFAULT_LISTEN = { host: '127.0.0.1', port: 8788 };

/** That only whoever signs in sees the page, or whoever is on this machine. */
export function checkWeb({ web }: Glimpse, draft: Draft, findings: Findings): void {
  if (web === undefined) return;
  const nameOf = (key: string) => draft.nameOf(['web', key]);
  const { listen, password, password_file: file, trusted_header: header, proxies } = web;
  if (header !== undefined && proxies.length === 0) {
    findings.problem(
      `${nameOf('trusted_header')}: anybody can send ${header}: set ${nameOf('proxies')} to the addresses of your reverse proxy, from which alone it is believed`,
    );
  }
  if ((password ?? file ?? header) !== undefined) return;
  if (listen === undefined) {
    findings.warning(
      `${draft.nameOf(['web'])}: the page is off, since there is no way to sign in: set ${nameOf('password_file')}`,
    );
    return;
  }
  const host = listenAddressOf(listen)?.host;
  if (host === undefined) return;
  if (isLoopback(host)) {
    findings.warning(
      `${nameOf('listen')}: the page has no password: whoever uses this machine can read all conversations. Set ${nameOf('password_file')}, unless you are alone on it`,
    );
  } else {
    findings.problem(
      `${nameOf('listen')}: ${listen} can be reached from other machines, and whoever reaches it could read all conversations: set ${nameOf('password_file')}, or ${nameOf('trusted_header')} behind a reverse proxy that signs people in, or use 127.0.0.1`,
    );
  }
}

type ParsedWeb = NonNullable<z.output<typeof configSchema>['web']>;

/** The page is on where there is a way to sign in, or where an address on this machine was asked for. */
export function completedWeb(
  { listen, password: _password, password_file: _file, ...web }: ParsedWeb,
  password: Secret | undefined,
): { web?: ResolvedWeb } {
  if (listen === undefined && password === undefined && web.trusted_header === undefined) return {};
  return { web: { ...web, listen: listen ?? DEFAULT_LISTEN, ...(password === undefined ? {} : { password }) } };
}
