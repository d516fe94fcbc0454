import { relative } from 'node:path';
import { html } from 'hono/html';
import { count, formatBytes } from '../../../lib/text.ts';
import {
  listSnapshots,
  type SnapshotPlace,
  type SnapshotReport,
  type TracedProblem,
  verifySnapshots,
} from '../../../snapshot/index.ts';
import { snapshotAddress } from '../../addresses.ts';
import type { Work } from '../../background.ts';
import type { Html } from '../../views/layout.ts';
import { notice } from '../../views/parts.ts';
import { moment } from '../../views/words.ts';

const PROBLEMS_SHOWN = 100;

/** Reads all files of a snapshot; hashing is cut up in pieces of some hundred kilobytes between which others run. */
export async function verifyOne(
  snapshot: SnapshotPlace,
  backupDir: string,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<SnapshotReport> {
  const verifying = verifySnapshots([snapshot], await listSnapshots(backupDir), {
    signal,
    onProgress: (_, done, total) => onProgress(done, total ?? 0),
  });
  for await (const report of verifying) return report;
  throw new Error('There is nothing to verify.');
}

/** `3.1 GB of 4.8 GB read` */
export function verificationText({ done, total }: { readonly done: number; readonly total: number }): string {
  return total === 0 ? `${formatBytes(done)} read` : `${formatBytes(done)} of ${formatBytes(total)} read`;
}

export interface VerificationView {
  readonly snapshot: SnapshotPlace;
  readonly backupDir: string;
  readonly work: Work<SnapshotReport> | undefined;
  readonly csrfToken: string;
}

/** The section about whether a snapshot's files are what they were. */
export function verificationSection({ snapshot, backupDir, work, csrfToken }: VerificationView): Html {
  return html`<section id="check" aria-labelledby="check-title">
<h2 id="check-title">Are its files sound?</h2>
${work === undefined ? html`<p>Reads all its files and compares each with the checksum that was made when the snapshot was.</p>` : workView(snapshot, backupDir, work)}
${
  work?.state === 'running'
    ? ''
    : html`<form method="post" action="${snapshotAddress(snapshot, '/verify')}">
<input type="hidden" name="csrf" value="${csrfToken}">
<button>${work === undefined ? 'Check all files' : 'Check again'}</button>
</form>`
}
</section>`;
}

function workView(snapshot: SnapshotPlace, backupDir: string, work: Work<SnapshotReport>): Html {
  switch (work.state) {
    case 'running':
      return html`<div data-progress="${snapshotAddress(snapshot, '/verification')}" role="status">
<p>The files are being read: <span data-progress-text>${verificationText(work)}</span>.</p>
<progress aria-label="Files read"${work.total === 0 ? '' : html` value="${work.done}" max="${work.total}"`}></progress>
</div>`;
    case 'failed':
      return notice('bad', html`<p>The check could not be finished (${work.reason}).</p>`);
    case 'done':
      return work.result.ok ? soundView(work.result, work.at) : damagedView(work.result, work.at, backupDir);
  }
}

function soundView({ checkedFiles, checkedBytes }: SnapshotReport, at: number): Html {
  return notice(
    'good',
    html`<p><strong>Sound.</strong> ${allOf(checkedFiles)} (${formatBytes(checkedBytes)}) what was backed up. Checked ${moment(at)}.</p>`,
  );
}

function allOf(files: number): string {
  return files === 1 ? 'Its one file is' : `All ${count(files, 'file')} are`;
}

function damagedView({ checkedFiles, problems }: SnapshotReport, at: number, backupDir: string): Html {
  const more = problems.length - PROBLEMS_SHOWN;
  return notice(
    'bad',
    html`<p><strong>Damaged.</strong> ${count(problems.length, 'problem')}; ${count(checkedFiles, 'file')} sound. Checked ${moment(at)}.</p>
<ul>${problems.slice(0, PROBLEMS_SHOWN).map((problem) => problemItem(problem, backupDir))}${more > 0 ? html`<li>and ${count(more, 'other')}</li>` : ''}</ul>
<p><code>chatkeep verify</code> prints the commands that repair what can be repaired; <code>chatkeep restore</code> copies the snapshot out with sound copies in the place of damaged files.</p>`,
  );
}

function problemItem({ detail, sharedWith, soundCopy }: TracedProblem, backupDir: string): Html {
  return html`<li>${detail}${sharedWith.length === 0 ? '' : ` It is the same file in ${sharedWith.join(', ')}, and damaged there, too.`}
${soundCopy === undefined ? '' : html` A sound copy is <code>${relative(backupDir, soundCopy)}</code>.`}</li>`;
}
