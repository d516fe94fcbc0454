import { createHmac } from 'node:crypto';
import { HOUR_MS } from '../../../src/lib/clock.ts';
import { sha256 } from '../../../src/lib/hash.ts';

/**
 * The two forms an export's link has had. `azure` (2023 to 2024): a Blob SAS link on an Azure host, which needs no
 * login. `estuary` (since 2025): a signed link on chatgpt.com, which needs one.
 */
export type LinkForm = 'estuary' | 'azure';

/** Where the estuary form leads. */
export const ESTUARY_PATH = '/backend-api/estuary/content';
/** Below this the Azure form leads to a blob. */
export const AZURE_CONTAINER = '/exportcontainer/';

/** The version of Azure's storage service that the links and answers speak of. */
export const AZURE_VERSION = '2023-11-03';

/** What a link is made from. */
export interface LinkParts {
  /** `https://host` or `https://host:port`. */
  readonly origin: string;
  /** The ZIP's name without `.zip`, as {@link exportIdOf} gives it. */
  readonly exportId: string;
  /** When the export was made, ms UTC. */
  readonly stamp: number;
  /** When the link dies, ms UTC; only the Azure form tells it. */
  readonly expiresAt: number;
  /** The key that the link is signed with. */
  readonly key: Buffer;
}

/** What an export's name is made from. */
export interface ExportIdParts {
  readonly form: LinkForm;
  readonly account: string;
  /** ms UTC. */
  readonly stamp: number;
  /** Tells exports of one account and second apart; only the estuary form has room for it. */
  readonly serial: number;
}

/**
 * The name of an export: `<64 hex>-YYYY-MM-DD-HH-MM-SS`, and in the estuary form `-<32 hex>` behind it. The 64 digits
 * are the account's own.
 */
export function exportIdOf({ form, account, stamp, serial }: ExportIdParts): string {
  const seconds = new Date(stamp).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
  const id = `${sha256(account)}-${seconds}`;
  return form === 'azure' ? id : `${id}-${sha256(`${id} ${serial}`).slice(0, 32)}`;
}

/** A signed link as the export-ready email carries it. */
export function makeLink(form: LinkForm, parts: LinkParts): string {
  return form === 'azure' ? azureLink(parts) : estuaryLink(parts);
}

function estuaryLink({ origin, exportId, stamp, key }: LinkParts): string {
  const url = new URL(ESTUARY_PATH, origin);
  const fields = { id: `${exportId}.zip`, ts: String(Math.floor(stamp / HOUR_MS)), p: 'de', cid: '1' };
  const version = { v: '0' };
  const sig = estuarySignature(key, { ...fields, ...version });
  url.search = new URLSearchParams({ ...fields, sig, ...version }).toString();
  return url.href;
}

function azureLink({ origin, exportId, expiresAt, key }: LinkParts): string {
  const url = new URL(`${AZURE_CONTAINER}${exportId}.zip`, origin);
  const fields = { se: `${new Date(expiresAt).toISOString().slice(0, 19)}Z`, sp: 'r', sv: AZURE_VERSION, sr: 'b' };
  url.search = new URLSearchParams({ ...fields, sig: azureSignature(key, url.pathname, fields) }).toString();
  return url.href;
}

/** The link's form and the export it names, whether or not there is such an export; undefined for any other path. */
export function linkTarget(url: URL): { form: LinkForm; exportId: string } | undefined {
  const form =
    url.pathname === ESTUARY_PATH ? 'estuary' : url.pathname.startsWith(AZURE_CONTAINER) ? 'azure' : undefined;
  if (form === undefined) return undefined;
  const name = form === 'azure' ? url.pathname.slice(AZURE_CONTAINER.length) : (url.searchParams.get('id') ?? '');
  return { form, exportId: name.replace(/\.zip$/, '') };
}

/** Whether the link is as it was signed. */
export function signatureHolds(form: LinkForm, url: URL, key: Buffer): boolean {
  const { sig, ...fields } = Object.fromEntries(url.searchParams);
  return sig === (form === 'azure' ? azureSignature(key, url.pathname, fields) : estuarySignature(key, fields));
}

function estuarySignature(key: Buffer, fields: Readonly<Record<string, string>>): string {
  return createHmac('sha256', key).update(canonical(fields)).digest('hex');
}

function azureSignature(key: Buffer, path: string, fields: Readonly<Record<string, string>>): string {
  return createHmac('sha256', key)
    .update(`${path}\n${canonical(fields)}`)
    .digest('base64');
}

function canonical(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .sort()
    .join('');
}
