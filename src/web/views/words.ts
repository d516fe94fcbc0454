import { html } from 'hono/html';
import { formatMoment } from '../../lib/text.ts';
import { parseSnapshotName } from '../../snapshot/index.ts';
import type { Html } from './layout.ts';

/** `2026-11-21 19:05 UTC`, readable by machines too; `times.js` shows it in the reader's own zone. */
export function moment(ms: number): Html {
  return html`<time datetime="${new Date(ms).toISOString()}">${formatMoment(ms)}</time>`;
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

/** What a conversation is called. */
export function titleOf({ title }: { readonly title?: string | undefined }): string {
  return title === undefined || title.trim() === '' ? 'Untitled' : title;
}

/** What a thumb said of an answer; undefined where it was something else. */
export function thumbOf(rating: string): 'good' | 'bad' | undefined {
  if (/^thumbs?_?up$/i.test(rating)) return 'good';
  return /^thumbs?_?down$/i.test(rating) ? 'bad' : undefined;
}
