import { html } from 'hono/html';
import { parseSnapshotName } from '../../snapshot/index.ts';
import type { Html } from './layout.ts';

/** `2026-11-21 19:05 UTC`, readable by machines too; scripts may show it in the reader's own zone. */
export function moment(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** `12,345` */
export function numeral(n: number): string {
  return n.toLocaleString('en-US');
}

/** `2026-11-21`, in UTC. */
export function day(ms: number): Html {
  const iso = new Date(ms).toISOString().slice(0, 'YYYY-MM-DD'.length);
  return html`<time datetime="${iso}">${iso}</time>`;
}

/** When the export of a snapshot was made, by the snapshot's name. */
export function dayOfSnapshot(name: string): Html | string {
  const stamp = parseSnapshotName(name);
  return stamp === undefined ? name : day(stamp.time);
}
