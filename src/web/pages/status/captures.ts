import { html } from 'hono/html';
import { formatBytes, formatDuration } from '../../../lib/text.ts';
import { snapshotAddress } from '../../addresses.ts';
import type { CaptureView } from '../../sources.ts';
import type { Html } from '../../views/layout.ts';
import { type BadgeTone, badge } from '../../views/parts.ts';
import { prose } from '../../views/prose.ts';

const STATES: Readonly<Record<CaptureView['state'], { readonly name: string; readonly tone: BadgeTone }>> = {
  found: { name: 'found', tone: 'plain' },
  downloading: { name: 'being downloaded', tone: 'plain' },
  unpacking: { name: 'being unpacked', tone: 'plain' },
  waiting: { name: 'waiting', tone: 'warn' },
  'needs-login': { name: 'needs you', tone: 'bad' },
  committed: { name: 'kept', tone: 'good' },
  duplicate: { name: 'kept before', tone: 'good' },
  unchanged: { name: 'unchanged', tone: 'good' },
  refused: { name: 'refused', tone: 'bad' },
  expired: { name: 'lost', tone: 'bad' },
};

/**
 * A list that `captures.js` keeps current.
 * @param of of all that is open, or of captures by name
 * @param now ms UTC
 */
export function captureList(captures: readonly CaptureView[], of: 'open' | 'named', now: number): Html {
  return html`<ul class="captures" data-captures="${of}">${captures.map(
    (capture) => html`<li data-capture="${capture.id}" data-state="${capture.state}">
${badge(STATES[capture.state].name, STATES[capture.state].tone)}
<div>
<p data-text>${prose(capture.text)}</p>
${progressOf(capture)}
${capture.deadline === undefined ? '' : html`<p class="faint" data-deadline="${capture.deadline}">Its link dies in ${formatDuration(capture.deadline - now)}.</p>`}
${capture.snapshot === undefined ? '' : html`<p><a href="${addressOf(capture.snapshot)}">Look at the snapshot</a></p>`}
${capture.needsPerson ? html`<p><a class="button" href="/upload">Hand in its ZIP</a></p>` : ''}
</div>
</li>`,
  )}</ul>`;
}

/** As the script asks for it. */
export function captureJson(captures: readonly CaptureView[]) {
  return captures.map(({ id, state, text, deadline = null, work }) => ({
    id,
    state,
    text,
    deadline,
    done: work?.done ?? null,
    total: work?.total ?? null,
  }));
}

/** Whether any of them will change by itself before long. */
export function isUnderWay({ state }: CaptureView): boolean {
  return ['found', 'downloading', 'unpacking', 'waiting', 'needs-login'].includes(state);
}

function progressOf({ state, work }: CaptureView): Html | '' {
  if (state !== 'downloading' && state !== 'unpacking') return '';
  const label = state === 'downloading' ? 'Downloaded' : 'Unpacked';
  const isKnown = work?.total !== undefined && work.total > 0;
  return html`<progress aria-label="${label}"${isKnown ? html` value="${work.done}" max="${work.total}"` : ''}>${
    work === undefined ? '' : formatBytes(work.done)
  }</progress>`;
}

/** @param id ACCOUNT/NAME */
function addressOf(id: string): string {
  const [account = '', name = ''] = id.split('/');
  return snapshotAddress({ account, name });
}
